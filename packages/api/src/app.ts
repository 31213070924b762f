import { workerSettingsOf } from '@postrider/shared/config/worker-settings';
import { apiSettings } from './config.ts';
import type { ApiContext } from './context.ts';
import type { Authenticator } from './http/authenticate.ts';
import { isGrantable } from './http/authorize.ts';
import { type MountedRoutes, mountRoutes } from './http/mount.ts';
import type { Route } from './http/route.ts';
import type { ApiReport } from './report.ts';
import { auditLogRoutes } from './routes/audit-log.ts';
import { applicationSecretRoutes } from './routes/application-secrets.ts';
import { applicationRoutes } from './routes/applications.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { environmentVariableRoutes } from './routes/environment-variables.ts';
import { errorRoutes } from './routes/errors.ts';
import { eventsPerDayRoutes } from './routes/events-per-day.ts';
import { eventTypeRoutes } from './routes/event-types.ts';
import { eventBatchRoutes } from './routes/event-batch.ts';
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
import type { RateLimiter } from './services/limits/rate-limiter.ts';

/** Documented with what their defaults are made of, since workers run elsewhere. */
const workerSettings = workerSettingsOf({ workerName: 'host name', workerVersion: 'package version' });

/** What a request passes before its route, and who hears of it. */
interface Gates {
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly report: ApiReport;
}

/** The whole API as an HTTP listener. */
export function createApp(context: ApiContext, gates: Gates): MountedRoutes {
  return mountRoutes({ routes: createRoutes(context), ...gates, context });
}

/** All operations of the API. They say what they are without a database: none may use it before it is called. */
export function createRoutes(context: ApiContext): Route[] {
  const routes = [
    eventRoutes,
    // Express tries them in order. Before the events themselves: `batch` is none of their ids.
    eventBatchRoutes,
    eventsRoutes,
    deliveryRoutes,
    eventsPerDayRoutes,
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
    errorRoutes,
  ].flatMap((routesOf) => routesOf(context));
  const grantable = new Set(routes.filter(isGrantable).map(({ name }) => name));
  routes.push(
    ...serviceTokenRoutes(context, grantable),
    ...environmentVariableRoutes({ api: apiSettings, worker: workerSettings }),
    ...documentationRoutes(() => routes),
  );
  return routes;
}
