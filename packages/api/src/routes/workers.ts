import { isUniqueViolation } from '@postrider/shared/database/postgres-errors';
import { deleteWorker } from '@postrider/shared/database/queries/delete-worker';
import { insertWorker, type WorkerToWrite } from '@postrider/shared/database/queries/insert-worker';
import { listWorkers, type WorkerRow } from '@postrider/shared/database/queries/list-workers';
import { updateWorker } from '@postrider/shared/database/queries/update-worker';
import { newId } from '@postrider/shared/domain/ids';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { invalidField, parseBody, parseParameters } from '../http/parse.ts';
import type { Route } from '../http/route.ts';
import { optional, text, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { assignOrganizationWorker, unassignOrganizationWorker } from '../services/organization-workers.ts';

const workerPost = z.object({ name: text(1, 100), description: optional(text(1, 200)), public: z.boolean() });
const workerParams = z.object({ worker_id: uuid });
const organizationParams = z.object({ organization_id: uuid });
const assignmentParams = z.object({ organization_id: uuid, worker_id: uuid });

/** Workers that are known by name, and which organizations the private ones deliver for. */
export function workerRoutes(context: ApiContext): Route[] {
  return [...registrationRoutes(context), ...assignmentRoutes(context)];
}

function registrationRoutes({ db }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/workers',
      access: 'organization',
      async handle() {
        return { status: 200, body: await listWorkers(db) };
      },
    },
    {
      method: 'post',
      path: '/workers',
      access: 'organization',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ body }) {
        const worker = { workerId: newId(), ...parseBody(workerPost, body) };
        return { status: 201, body: await written(worker, () => insertWorker(db, worker)) };
      },
    },
    {
      method: 'put',
      path: '/workers/:worker_id',
      access: 'organization',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ params, body }) {
        const worker = { workerId: parseParameters(workerParams, params).worker_id, ...parseBody(workerPost, body) };
        return { status: 200, body: await written(worker, () => updateWorker(db, worker)) };
      },
    },
    {
      method: 'delete',
      path: '/workers/:worker_id',
      access: 'organization',
      async handle({ params }) {
        const { worker_id: workerId } = parseParameters(workerParams, params);
        if (await deleteWorker(db, workerId)) {
          return { status: 204 };
        }
        const workers = await listWorkers(db);
        if (workers.some(({ worker_id: id }) => id === workerId)) {
          throw new ProblemError('OrganizationIsNotEmpty', {
            code: 'worker_in_use',
            detail: 'The worker is assigned to an organization or to subscriptions: end that first.',
          });
        }
        throw noWorker();
      },
    },
  ];
}

function assignmentRoutes({ db, notifier }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/organizations/:organization_id/workers',
      access: 'organization',
      async handle({ params }) {
        return { status: 200, body: await listWorkers(db, parseParameters(organizationParams, params).organization_id) };
      },
    },
    {
      method: 'put',
      path: '/organizations/:organization_id/workers/:worker_id',
      access: 'organization',
      async handle({ params }) {
        const { organization_id: organizationId, worker_id: workerId } = parseParameters(assignmentParams, params);
        if (!(await assignOrganizationWorker(db, notifier, { organizationId, workerId }))) {
          throw new ProblemError('NotFound', { detail: 'There is no such organization or worker.' });
        }
        return { status: 204 };
      },
    },
    {
      method: 'delete',
      path: '/organizations/:organization_id/workers/:worker_id',
      access: 'organization',
      async handle({ params }) {
        const { organization_id: organizationId, worker_id: workerId } = parseParameters(assignmentParams, params);
        if (!(await unassignOrganizationWorker(db, notifier, { organizationId, workerId }))) {
          throw new ProblemError('NotFound', { detail: 'The worker is not assigned to this organization.' });
        }
        return { status: 204 };
      },
    },
  ];
}

async function written(worker: WorkerToWrite, write: () => Promise<WorkerRow | undefined>): Promise<WorkerRow> {
  try {
    const row = await write();
    if (row) {
      return row;
    }
  } catch (error) {
    if (isUniqueViolation(error, 'worker_name_key')) {
      throw invalidField('name', { code: 'unique', message: `a worker named ${worker.name} exists` });
    }
    throw error;
  }
  throw noWorker();
}

function noWorker(): ProblemError {
  return new ProblemError('NotFound', { detail: 'There is no worker of this id.' });
}
