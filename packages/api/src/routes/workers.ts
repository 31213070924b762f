import { isUniqueViolation } from '@postrider/shared/database/postgres-errors';
import type { WorkerToWrite } from '@postrider/shared/database/queries/insert-worker';
import { listWorkers, type WorkerRow } from '@postrider/shared/database/queries/list-workers';
import { newId } from '@postrider/shared/domain/ids';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { invalidField } from '../http/parse.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import { organizationParams } from '../schemas/organizations.ts';
import { workerAssignmentParams, workerParams, workerPost, workerView } from '../schemas/workers.ts';
import { assignOrganizationWorker, unassignOrganizationWorker } from '../services/organization-workers.ts';
import { changeWorker, createWorker, removeWorker } from '../services/write-worker.ts';

/** Workers that are known by name, and which organizations the private ones deliver for. */
export function workerRoutes(context: ApiContext): Route[] {
  return [...registrationRoutes(), ...assignmentRoutes(context)];
}

function registrationRoutes(): Route[] {
  return [
    defineRoute({
      name: 'workers.list',
      summary: 'Lists the workers that are known by name',
      method: 'get',
      path: '/workers',
      access: 'master',
      answer: { status: 200, schema: z.array(workerView) },
      async handle({ db }) {
        return { status: 200, body: (await listWorkers(db)).map(view) };
      },
    }),
    defineRoute({
      name: 'workers.create',
      summary: 'Registers a worker',
      method: 'post',
      path: '/workers',
      access: 'master',
      body: workerPost,
      answer: { status: 201, schema: workerView },
      async handle({ db, audit, body }) {
        const worker = { workerId: newId(), ...body };
        return { status: 201, body: view(await written(worker, () => createWorker(db, audit, worker))) };
      },
    }),
    defineRoute({
      name: 'workers.update',
      summary: 'Changes a worker',
      method: 'put',
      path: '/workers/:worker_id',
      access: 'master',
      params: workerParams,
      body: workerPost,
      answer: { status: 200, schema: workerView },
      problems: ['NotFound'],
      async handle({ db, audit, params, body }) {
        const worker = { workerId: params.worker_id, ...body };
        return { status: 200, body: view(await written(worker, () => changeWorker(db, audit, worker))) };
      },
    }),
    defineRoute({
      name: 'workers.delete',
      summary: 'Deletes a worker that nothing is assigned to',
      method: 'delete',
      path: '/workers/:worker_id',
      access: 'master',
      params: workerParams,
      answer: { status: 204 },
      problems: ['NotFound', 'OrganizationIsNotEmpty'],
      async handle({ db, audit, params }) {
        const { worker_id: workerId } = params;
        if (await removeWorker(db, audit, workerId)) {
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
    }),
  ];
}

function assignmentRoutes({ notifier }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'organization_workers.list',
      summary: 'Lists the workers that are assigned to an organization',
      method: 'get',
      path: '/organizations/:organization_id/workers',
      access: 'master',
      params: organizationParams,
      answer: { status: 200, schema: z.array(workerView) },
      async handle({ db, params }) {
        return { status: 200, body: (await listWorkers(db, params.organization_id)).map(view) };
      },
    }),
    defineRoute({
      name: 'organization_workers.assign',
      summary: 'Lets a worker deliver for an organization',
      method: 'put',
      path: '/organizations/:organization_id/workers/:worker_id',
      access: 'master',
      params: workerAssignmentParams,
      answer: { status: 204 },
      problems: ['NotFound'],
      async handle({ db, audit, params }) {
        const { organization_id: organizationId, worker_id: workerId } = params;
        if (!(await assignOrganizationWorker(db, notifier, audit, { organizationId, workerId }))) {
          throw new ProblemError('NotFound', { detail: 'There is no such organization or worker.' });
        }
        return { status: 204 };
      },
    }),
    defineRoute({
      name: 'organization_workers.unassign',
      summary: 'Ends the assignment of a worker to an organization',
      method: 'delete',
      path: '/organizations/:organization_id/workers/:worker_id',
      access: 'master',
      params: workerAssignmentParams,
      answer: { status: 204 },
      problems: ['NotFound'],
      async handle({ db, audit, params }) {
        const { organization_id: organizationId, worker_id: workerId } = params;
        if (!(await unassignOrganizationWorker(db, notifier, audit, { organizationId, workerId }))) {
          throw new ProblemError('NotFound', { detail: 'The worker is not assigned to this organization.' });
        }
        return { status: 204 };
      },
    }),
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

function view(row: WorkerRow): z.output<typeof workerView> {
  return { worker_id: row.worker_id, name: row.name, description: row.description, public: row.public, created_at: row.created_at };
}
