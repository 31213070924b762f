import type { Express } from 'express';
import type { ApiContext } from './context.ts';
import type { Authenticator } from './http/authenticate.ts';
import { mountRoutes } from './http/mount.ts';
import type { ApiReport } from './report.ts';
import { applicationSecretRoutes } from './routes/application-secrets.ts';
import { applicationRoutes } from './routes/applications.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { eventsPerDayRoutes } from './routes/events-per-day.ts';
import { eventTypeRoutes } from './routes/event-types.ts';
import { eventRoutes } from './routes/event.ts';
import { eventsRoutes } from './routes/events.ts';
import { instanceRoutes } from './routes/instance.ts';
import { organizationRoutes } from './routes/organizations.ts';
import { requestAttemptRoutes } from './routes/request-attempts.ts';
import { responseRoutes } from './routes/responses.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import { workerRoutes } from './routes/workers.ts';

/** The whole API as an express application. */
export function createApp(context: ApiContext, authenticator: Authenticator, report: ApiReport): Express {
  return mountRoutes({
    // The hot route first: express tries them in order.
    routes: [
      eventRoutes,
      eventsRoutes,
      deliveryRoutes,
      eventsPerDayRoutes,
      requestAttemptRoutes,
      responseRoutes,
      eventTypeRoutes,
      subscriptionRoutes,
      applicationRoutes,
      applicationSecretRoutes,
      organizationRoutes,
      workerRoutes,
      instanceRoutes,
    ].flatMap((routesOf) => routesOf(context)),
    authenticator,
    report,
    context,
  });
}
