import { findAuditHead } from '@postrider/shared/database/queries/find-audit-head';
import { type AuditEntryRow, listAuditEntries } from '@postrider/shared/database/queries/list-audit-entries';
import { z } from 'zod';
import { cursor, encodeCursor, nextLink, pageOf } from '../http/pagination.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { timestamp, uuid } from '../http/schemas.ts';
import { auditEntries } from '../schemas/audit-log.ts';

const pageSize = 50;

const listQuery = z.object({
  organization_id: uuid,
  since: timestamp.optional(),
  until: timestamp.optional(),
  action: z.string().optional(),
  application_id: uuid.optional(),
  pagination_cursor: cursor([timestamp, z.string().regex(/^\d{1,18}$/)]).optional(),
});

/** Who changed what in an organization. */
export function auditLogRoutes(): Route[] {
  return [
    defineRoute({
      name: 'audit_log.list',
      summary: 'Lists the changes of an organization, newest first',
      method: 'get',
      path: '/audit_log',
      access: 'organization',
      organization: 'query',
      query: listQuery,
      answer: { status: 200, schema: auditEntries },
      async handle({ db, query: filter, origin, pathWithQuery }) {
        const [recordedAt, sequence] = filter.pagination_cursor ?? [null, null];
        const rows = await listAuditEntries(db, {
          organizationId: filter.organization_id,
          since: filter.since ?? null,
          until: filter.until ?? null,
          action: filter.action ?? null,
          applicationId: filter.application_id ?? null,
          after: recordedAt && sequence ? { recordedAt, sequence } : null,
          limit: pageSize + 1,
        });
        const { page, last } = pageOf(rows, pageSize);
        // Kept elsewhere, the head proves later that nothing up to it was changed or cut off.
        const head = await findAuditHead(db, filter.organization_id);
        return {
          status: 200,
          body: page.map(view),
          headers: {
            ...(head && { 'Audit-Log-Head': `${head.sequence}:${head.hash}` }),
            ...(last && { Link: nextLink(origin, pathWithQuery, { pagination_cursor: cursorAfter(last) }) }),
          },
        };
      },
    }),
  ];
}

function cursorAfter(row: AuditEntryRow): string {
  return encodeCursor([row.recorded_at.toISOString(), row.sequence]);
}

function view(row: AuditEntryRow) {
  return {
    organization_id: row.organization_id,
    sequence: Number(row.sequence),
    recorded_at: row.recorded_at,
    actor: { kind: row.actor_kind, id: row.actor_id },
    ip: row.ip,
    request_id: row.request_id,
    action: row.action,
    target: { kind: row.target_kind, id: row.target_id },
    application_id: row.application_id,
    changes: row.changes,
    previous_hash: row.previous_hash,
    hash: row.hash,
  };
}
