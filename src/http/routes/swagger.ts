/** Under -dev: the OpenAPI document and Swagger UI, all from this server. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HTML_TYPE, send, sendJson } from '../answer.js';
import { HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { Route } from '../route.js';

const SCRIPT_TYPE = 'text/javascript; charset=utf-8';

/** Swagger UI draws its icons from data URLs; everything else comes from here, and nothing is written into the page. */
const POLICY = [
  'Content-Security-Policy',
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
];

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>cc-metric-store: API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/png" href="/swagger/favicon-32x32.png">
<link rel="stylesheet" href="/swagger/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/swagger/swagger-ui-bundle.js"></script>
<script src="/swagger/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/swagger/doc.json', dom_id: '#swagger-ui', deepLinking: true });
`;

/** Swagger UI's files that the page needs, with their types. Nothing else can be asked for. */
const files: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', SCRIPT_TYPE],
  ['favicon-32x32.png', 'image/png'],
]);

async function sendFile(exchange: Exchange, directory: string, name: string): Promise<void> {
  if (name === 'start.js') return send(exchange, 200, SCRIPT_TYPE, START);
  const type = files.get(name);
  if (type === undefined) throw new HttpError(404, `no such path: /swagger/${name}`);
  send(exchange, 200, type, await readFile(join(directory, name)));
}

/**
 * @param directory of Swagger UI's files (scripts/swagger-files.js).
 * @param document the OpenAPI document; asked for once the routes are complete.
 */
export function swaggerRoutes(directory: string, document: () => Promise<unknown>): Route[] {
  return [
    {
      path: '/swagger',
      access: 'open',
      operations: {
        GET: {
          handle: (exchange) => send(exchange, 200, HTML_TYPE, PAGE, POLICY),
          document: { summary: 'Swagger UI', responses: { 200: { description: 'a page', type: HTML_TYPE } } },
        },
      },
    },
    {
      path: '/swagger/doc.json',
      access: 'open',
      operations: {
        GET: {
          handle: async (exchange) => sendJson(exchange, 200, await document()),
          document: {
            summary: 'The OpenAPI document',
            responses: { 200: { description: 'OpenAPI 3.1', type: 'application/json' } },
          },
        },
      },
    },
    {
      path: '/swagger/:file',
      access: 'open',
      operations: {
        GET: {
          handle: (exchange) => sendFile(exchange, directory, exchange.segment('file') ?? ''),
          document: {
            summary: "Swagger UI's files",
            parameters: [
              {
                name: 'file',
                in: 'path',
                required: true,
                description: 'name of the file',
                schema: { type: 'string', enum: [...files.keys(), 'start.js'] },
              },
            ],
            responses: { 200: { description: 'the file' }, 404: { description: 'no such file' } },
          },
        },
      },
    },
  ];
}
