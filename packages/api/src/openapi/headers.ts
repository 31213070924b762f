import type { Json } from './components.ts';

const everywhere = {
  RateLimit: { $ref: '#/components/headers/RateLimit' },
  'RateLimit-Policy': { $ref: '#/components/headers/RateLimit-Policy' },
  'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' },
};

/** The headers that are worth a word, as components. */
export const headerComponents: Json = {
  Link: {
    description: '`<url>; rel="next"`, only when there is a next page.',
    schema: { type: 'string' },
  },
  RateLimit: {
    description:
      'What limits leave: `"token";r=19;t=1` for 19 requests now, and all of them again in a second. Fields of draft-ietf-httpapi-ratelimit-headers.',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description: 'The limits: `"token";q=20;w=2` for 20 requests in two seconds. Absent where nothing is limited.',
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'Seconds after which to try again.',
    schema: { type: 'integer', minimum: 1 },
  },
  'X-Request-Id': {
    description: 'The id of the request as it was sent, or a new one: it finds the request in the logs.',
    schema: { type: 'string' },
  },
};

/** The headers of a success. */
export function answerHeaders(isPaged: boolean): Json {
  return { ...everywhere, ...(isPaged && { Link: { $ref: '#/components/headers/Link' } }) };
}

/** The headers of a problem. */
export function problemHeaders(status: number): Json {
  return { ...everywhere, ...((status === 429 || status === 503) && { 'Retry-After': { $ref: '#/components/headers/Retry-After' } }) };
}
