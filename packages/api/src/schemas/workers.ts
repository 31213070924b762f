import { z } from 'zod';
import { optional, sentTime, sentUuid, text, uuid } from '../http/schemas.ts';

export const workerPost = z
  .object({ name: text(1, 100), description: optional(text(1, 200)), public: z.boolean() })
  .meta({ id: 'WorkerPost' });

export const workerParams = z.object({ worker_id: uuid });

export const workerAssignmentParams = z.object({ organization_id: uuid, worker_id: uuid });

export const workerView = z
  .object({ worker_id: sentUuid, name: z.string(), description: z.string().nullable(), public: z.boolean(), created_at: sentTime })
  .meta({ id: 'Worker' });
