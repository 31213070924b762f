import { z } from 'zod';

const requestTokens = z.object({ granted: z.number(), remaining: z.number(), full_in_ms: z.number(), next_in_ms: z.number() });

/** What the supervisor tells a process of the API. */
export const toProcess = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('drain') }),
  z.object({ kind: z.literal('ask'), id: z.number(), about: z.enum(['readiness', 'metrics']) }),
  z.object({ kind: z.literal('leased'), id: z.number(), tokens: requestTokens }),
]);
export type ToProcess = z.output<typeof toProcess>;

/** What a process of the API tells its supervisor. */
export const toSupervisor = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('serving'), url: z.string() }),
  z.object({ kind: z.literal('answer'), id: z.number(), value: z.unknown() }),
  z.object({
    kind: z.literal('lease'),
    id: z.number(),
    layer: z.enum(['global', 'ip', 'token']),
    key: z.string(),
    wanted: z.number(),
  }),
]);
export type ToSupervisor = z.output<typeof toSupervisor>;

export const readinessAnswer = z.object({ ready: z.boolean(), details: z.record(z.string(), z.unknown()) });

/** As a registry of prom-client writes its metrics; only it looks inside. */
export const metricsAnswer = z.array(z.looseObject({ name: z.string(), type: z.unknown() }));
export type ProcessMetrics = z.output<typeof metricsAnswer>;
