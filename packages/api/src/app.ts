import type { Express } from 'express';
import type { ApiContext } from './context.ts';
import type { Authenticator } from './http/authenticate.ts';
import { isGrantable } from './http/authorize.ts';
import { mountRoutes } from './http/mount.ts';
import type { Route } from './http/route.ts';
import type { ApiReport } from './report.ts';
import { auditLogRoutes } from './routes/audit-log.ts';
import { applicationSecretRoutes } from './routes/application-secrets.ts';
import { applicationRoutes } from './routes/applications.ts';
import { eventTypeRoutes } from './routes/event-types.ts';
import { eventRoutes } from './routes/event.ts';
import { eventsRoutes } from './routes/events.ts';
import { instanceRoutes } from './routes/instance.ts';
import { organizationRoutes } from './routes/organizations.ts';
import { requestAttemptRoutes } from './routes/request-attempts.ts';
import { retryRoutes } from './routes/retry.ts';
import { responseRoutes } from './routes/responses.ts';
import { serviceTokenRoutes } from './routes/service-tokens.ts';
import { subscriptionActionRoutes } from './routes/subscription-actions.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import { workerRoutes } from './routes/workers.ts';

/** The whole API as an express application. */
export function createApp(context: ApiContext, authenticator: Authenticator, report: ApiReport): Express {
  return mountRoutes({ routes: apiRoutes(context), authenticator, report, context });
}

/** Every operation there is. */
export function apiRoutes(context: ApiContext): Route[] {
  // The hot route first: express tries them in order.
  const routes = [
    eventRoutes,
    eventsRoutes,
    requestAttemptRoutes,
    retryRoutes,
    responseRoutes,
    eventTypeRoutes,
    // Before the subscriptions themselves: `match` is none of their ids.
    subscriptionActionRoutes,
    subscriptionRoutes,
    applicationRoutes,
    applicationSecretRoutes,
    organizationRoutes,
    workerRoutes,
    auditLogRoutes,
    instanceRoutes,
  ].flatMap((resource) => resource(context));
  const grantable = new Set(routes.filter(isGrantable).map(({ name }) => name));
  return [...routes, ...serviceTokenRoutes(context, grantable)];
}
