import { z } from 'zod';
import { orProblem } from '../http/parse.ts';
import { optional, text, timestamp, uuid } from '../http/schemas.ts';

const applicationsMax = 100;
const actionsMax = 100;

const roles = ['editor', 'viewer'] as const;

function isRole(value: string): value is (typeof roles)[number] {
  return roles.some((role) => role === value);
}

const role = z
  .string()
  .refine((value) => isRole(value), { ...orProblem('InvalidRole'), abort: true })
  .pipe(z.enum(roles));

function listOf<S extends z.ZodType<string>>(item: S, max: number) {
  return z
    .array(item)
    .min(1, { error: `wanted 1 to ${max} items, or null for no restriction` })
    .max(max, { error: `wanted 1 to ${max} items, or null for no restriction` })
    .transform((items) => [...new Set(items)]);
}

/** What POST and PUT take. `grantable` are the operations that a token can be restricted to. */
export function serviceTokenPost(grantable: ReadonlySet<string>) {
  const actions = listOf(z.string(), actionsMax).superRefine((names, context) => {
    const unknown = names.filter((name) => !grantable.has(name));
    if (unknown.length > 0) {
      const message = `not an action that a service token can be restricted to: ${unknown.join(', ')}; wanted some of ${[...grantable].join(', ')}`;
      context.addIssue({ code: 'custom', message });
    }
  });
  return z
    .object({
      organization_id: uuid,
      name: text(1, 50),
      role: optional(role),
      application_ids: optional(listOf(uuid, applicationsMax)),
      actions: optional(actions),
      expires_at: optional(timestamp),
    })
    .meta({ id: 'ServiceTokenPost' });
}

export const serviceTokenParams = z.object({ service_token_id: uuid });

export const organizationQuery = z.object({ organization_id: uuid });

const sentUuid = z.string().meta({ format: 'uuid' });

export const serviceTokenView = z
  .object({
    token_id: sentUuid,
    name: z.string(),
    biscuit: z.string().meta({ description: 'The token: what the Authorization header carries.' }),
    created_at: z.date(),
    role: z.enum(roles),
    application_ids: z.array(sentUuid).nullable().meta({ description: 'The applications that it may use; null for all.' }),
    actions: z.array(z.string()).nullable().meta({ description: 'The operations that it may call; null for all that its role may.' }),
    expires_at: z.date().nullable(),
  })
  .meta({ id: 'ServiceToken' });
