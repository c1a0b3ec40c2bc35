/** GET / and its files: the page of `web/`, as `npm run build` left it in `dist/web`. It holds no data; it asks for them with a token. */
import { HTML_TYPE, sendFile } from '../answer.js';
import { HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { chooseCoding, matchesTag, type PageFiles, readPageFiles } from '../page-files.js';
import type { Route } from '../route.js';

/** Everything from this server, nothing inline, in nobody's frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const PAGE_HEADERS = ['Content-Security-Policy', POLICY, 'Cross-Origin-Opener-Policy', 'same-origin'];
/** The page names its files by hashes of their contents: they never change, it does. */
const REVALIDATE = 'no-cache';
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** @param directory the built page. */
export function pageRoutes(directory: string): Route[] {
  let files: Promise<PageFiles> | undefined;
  const filesOnce = (): Promise<PageFiles> => {
    files ??= readPageFiles(directory).catch((cause: unknown) => {
      files = undefined;
      throw new HttpError(404, 'the page is not built: run "npm run build"', [], { cause });
    });
    return files;
  };

  const answer = async (exchange: Exchange, name: string, caching: string, extra: readonly string[]): Promise<void> => {
    const file = (await filesOnce()).get(name);
    if (file === undefined) throw new HttpError(404, `no such path: /${name}`);
    const { headers } = exchange.incoming;
    const { bytes, coding } = chooseCoding(file, headers['accept-encoding']);
    // A strong tag is of one representation: RFC 9110, 8.8.3.
    const tag = `"${file.tag}${coding === undefined ? '' : `-${coding}`}"`;
    const fresh = matchesTag(headers['if-none-match'], tag);
    sendFile(exchange, fresh ? 304 : 200, fresh ? undefined : bytes, [
      'ETag',
      tag,
      'Cache-Control',
      caching,
      'Vary',
      'Accept-Encoding',
      ...(fresh ? [] : ['Content-Type', file.type]),
      ...(fresh || coding === undefined ? [] : ['Content-Encoding', coding]),
      ...extra,
    ]);
  };

  return [
    {
      path: '/',
      access: 'open',
      operations: {
        GET: {
          handle: (exchange) => answer(exchange, 'index.html', REVALIDATE, PAGE_HEADERS),
          document: {
            summary: 'The page: nodes, metrics and the store, in a browser',
            responses: { 200: { description: 'a page', type: HTML_TYPE }, 404: { description: 'it is not built' } },
          },
        },
      },
    },
    {
      path: '/assets/:file',
      access: 'open',
      operations: {
        GET: {
          handle: (exchange) => answer(exchange, `assets/${exchange.segment('file')}`, IMMUTABLE, []),
          document: {
            summary: "The page's scripts and styles",
            parameters: [
              {
                name: 'file',
                in: 'path',
                required: true,
                description: 'name of the file, as the page says it',
                schema: { type: 'string' },
              },
            ],
            responses: { 200: { description: 'the file' }, 404: { description: 'no such file' } },
          },
        },
      },
    },
  ];
}
