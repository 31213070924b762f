import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What a member was and what it became; secrets are redacted. */
const change = z.object({
  from: z.json().optional().describe('Left out of what was created.'),
  to: z.json().optional().describe('Left out of what was deleted.'),
});

const auditEntry = z.object({
  organization_id: z.uuid(),
  sequence: z.int().min(1).describe('Counts the entries of the organization without gaps.'),
  recorded_at: z.iso.datetime(),
  actor: z.object({
    kind: z.enum(['master', 'application_secret', 'service_token', 'system']),
    id: z.uuid().nullable().describe('Which secret or token, never itself.'),
  }),
  ip: z.string().nullable(),
  request_id: z.string().nullable(),
  action: z.string().describe('The name of the operation, such as `subscriptions.create`.'),
  target: z.object({ kind: z.string(), id: z.string() }),
  application_id: z.uuid().nullable(),
  changes: z.record(z.string(), change),
  previous_hash: sha256,
  hash: sha256,
});

/** A page of the audit log. */
export const auditEntries = z.array(auditEntry);
