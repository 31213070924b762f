import { z } from 'zod';
import { UsageError } from './failures.ts';

/** Where the API is and who is asking. */
export interface Connection {
  /** With its path, without a final slash. */
  readonly baseUrl: string;
  readonly token: string;
  /** What commands take where they are not told an application or an organization. */
  readonly applicationId: string | null;
  readonly organizationId: string | null;
}

/** Where `npm start` leaves what it made, from the current folder. */
export const demoFile = '.postrider/demo.json';

const defaultUrl = 'http://127.0.0.1:8081';
const basePath = '/api/v1';

const demo = z.object({
  api_url: z.string(),
  master_api_key: z.string(),
  organization_id: z.string().optional(),
  application_id: z.string().optional(),
});

/**
 * Takes the URL and the token from the command line and the environment; what `npm start` wrote only when neither says anything, so that
 * its key is never sent to another server.
 */
export function resolveConnection(given: {
  readonly apiUrl: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of `.postrider/demo.json`; null when there is none. */
  readonly readDemo: () => string | null;
}): Connection {
  const { env } = given;
  const url = given.apiUrl || env['POSTRIDER_API_URL'] || null;
  const token = env['POSTRIDER_TOKEN'] || env['MASTER_API_KEY'] || null;
  const told = { applicationId: env['POSTRIDER_APPLICATION'] || null, organizationId: env['POSTRIDER_ORGANIZATION'] || null };
  if (token !== null) {
    return { baseUrl: readBaseUrl(url ?? defaultUrl), token: readToken(token), ...told };
  }
  if (url !== null) {
    throw new UsageError('No token: set POSTRIDER_TOKEN to an application secret or a service token, or MASTER_API_KEY.');
  }
  const text = given.readDemo();
  if (text === null) {
    throw new UsageError(
      `No API and no token: set POSTRIDER_API_URL (or --api-url) and POSTRIDER_TOKEN or MASTER_API_KEY.\nWithout them ${demoFile} of \`npm start\` is read; there is none in this folder.`,
    );
  }
  const started = readDemoFile(text);
  return {
    baseUrl: readBaseUrl(started.api_url),
    token: readToken(started.master_api_key),
    applicationId: told.applicationId ?? started.application_id ?? null,
    organizationId: told.organizationId ?? started.organization_id ?? null,
  };
}

function readBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new UsageError(`Not the URL of an API: ${url === null ? text : url.host} (wanted one such as ${defaultUrl})`);
  }
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${path === '' ? basePath : path}`;
}

/** A header can carry it, or fetch would fail with words that quote the token. */
function readToken(token: string): string {
  const trimmed = token.trim();
  if (!/^[\x21-\x7e]+$/.test(trimmed)) {
    throw new UsageError('The token has characters that no token has: look at POSTRIDER_TOKEN or MASTER_API_KEY.');
  }
  return trimmed;
}

function readDemoFile(text: string): z.output<typeof demo> {
  try {
    return demo.parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${demoFile} is not what \`npm start\` writes: set POSTRIDER_API_URL and POSTRIDER_TOKEN instead.`);
  }
}
