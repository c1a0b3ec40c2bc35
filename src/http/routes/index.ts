import { PAGE_POLICY, renderPage } from '../../ui/page.js';
import { HTML_TYPE, send } from '../answer.js';
import type { HttpContext, Route } from '../route.js';

/** GET /: a page that says what answers here. @param routes all routes of the server, this one included. */
export function indexRoute(context: HttpContext, routes: () => readonly Route[]): Route {
  return {
    path: '/',
    access: 'open',
    operations: {
      GET: {
        handle(exchange) {
          const page = renderPage({
            version: context.version,
            state: context.store.state,
            uptimeSeconds: Math.floor((Date.now() - context.startedAt) / 1000),
            secured: context.authenticator !== undefined,
            routes: routes().map(({ path, access, operations }) => ({
              path,
              open: access === 'open' || context.authenticator === undefined,
              methods: Object.keys(operations),
              summary: Object.values(operations)[0]?.document.summary ?? '',
            })),
          });
          send(exchange, 200, HTML_TYPE, page, ['Content-Security-Policy', PAGE_POLICY]);
        },
        document: {
          summary: 'This server: name, version, state, routes',
          responses: { 200: { description: 'a page', type: HTML_TYPE } },
        },
      },
    },
  };
}
