/**
 * The OpenAPI 3.1 document, made from the routes that the server has and the schemas that check their bodies: what is
 * not served is not in it, and the other way round.
 */

import { toJsonSchema } from '@valibot/to-json-schema';
import type { OperationDocument, Parameter, Route } from './route.js';

interface ErrorAnswer {
  description: string;
  content: Record<string, { schema: { $ref: string } }>;
}

function errorAnswer({ renderError }: Route, description: string): ErrorAnswer {
  const schema = renderError === undefined ? 'Error' : 'PrometheusError';
  return { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } };
}

/** The same parameters in a body; what stands in the path does not come again. */
function formBody(parameters: readonly Parameter[]) {
  const inForm = parameters.filter((parameter) => parameter.in === 'query');
  const properties = inForm.map(({ name, description, schema }) => [name, { description, ...schema }]);
  const schema = { type: 'object', properties: Object.fromEntries(properties) };
  return { required: false, content: { 'application/x-www-form-urlencoded': { schema } } };
}

function requestBody(body: NonNullable<OperationDocument['body']>) {
  if ('text' in body) {
    return { required: true, description: body.description, content: { [body.text]: { schema: { type: 'string' } } } };
  }
  if ('form' in body) return formBody(body.form);
  const { $schema: _, ...schema } = toJsonSchema(body.schema, {
    target: 'draft-2020-12',
    typeMode: 'output',
    ignoreActions: ['check', 'finite'],
  });
  return { required: true, content: { 'application/json': { schema } } };
}

function responses(route: Route, document: OperationDocument, secured: boolean) {
  const answers: Record<string, unknown> = {};
  for (const [status, { description, type }] of Object.entries(document.responses)) {
    if (Number(status) >= 400) answers[status] = errorAnswer(route, description);
    else if (type === undefined) answers[status] = { description };
    else answers[status] = { description, content: Object.fromEntries([type].flat().map((one) => [one, {}])) };
  }
  if (secured && route.access !== 'open') answers[401] ??= errorAnswer(route, 'no valid token');
  return answers;
}

/** `/swagger/:file` as OpenAPI writes it. */
export function documentPath(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

/**
 * @param secured the config has a key: routes that are not open need a token.
 */
export function openApiDocument(routes: readonly Route[], version: string, secured: boolean) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const methods: Record<string, unknown> = {};
    for (const [method, { document }] of Object.entries(route.operations)) {
      methods[method.toLowerCase()] = {
        summary: document.summary,
        ...(document.description === undefined ? {} : { description: document.description }),
        ...(document.parameters === undefined ? {} : { parameters: document.parameters }),
        ...(document.body === undefined ? {} : { requestBody: requestBody(document.body) }),
        responses: responses(route, document, secured),
        ...(secured && route.access !== 'open' ? { security: [{ bearer: [] }] } : {}),
      };
    }
    paths[documentPath(route.path)] = methods;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'cc-metric-store',
      version,
      description: "ClusterCockpit's metric store. Every path is answered with and without a trailing slash.",
    },
    paths,
    components: {
      schemas: {
        Error: {
          type: 'object',
          required: ['status', 'error'],
          properties: { status: { type: 'string' }, error: { type: 'string' } },
        },
        PrometheusError: {
          type: 'object',
          required: ['status', 'errorType', 'error'],
          properties: { status: { const: 'error' }, errorType: { type: 'string' }, error: { type: 'string' } },
        },
      },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}
