// Made by `pnpm docs` from docs/openapi.json; do not edit.
import type { CallOptions, Caller, Page } from '../caller.ts';
import type { Answer, Input, Row } from '../types.ts';

/** Every operation of the API, by the names that its document gives them. */
export function createOperations(caller: Caller) {
  return {
    events: {
      /** Ingests an event: at 201 it and its attempts are committed. `POST /event` */
      ingest: (input: Input<'events.ingest'>, options?: CallOptions): Promise<Answer<'events.ingest'>> =>
        caller.call('events.ingest', input, options),
      /** Ingests many events: an array, or a stream of lines of any length. `POST /events/batch` */
      ingestBatch: (input: Input<'events.ingest_batch'>, options?: CallOptions): Promise<Answer<'events.ingest_batch'>> =>
        caller.call('events.ingest_batch', input, options),
      /** Lists events, newest first. `GET /events` */
      list: (input: Input<'events.list'>, options?: CallOptions): Promise<Answer<'events.list'>> =>
        caller.call('events.list', input, options),
      /** Lists events, newest first: page by page. */
      listPages: (input: Input<'events.list'>, options?: CallOptions): AsyncGenerator<Page<Answer<'events.list'>>, void, undefined> =>
        caller.pages('events.list', input, options),
      /** Lists events, newest first: row by row, over all pages. */
      listAll: (input: Input<'events.list'>, options?: CallOptions): AsyncGenerator<Row<'events.list'>, void, undefined> =>
        caller.rows('events.list', input, options),
      /** Reads an event with its payload. `GET /events/{event_id}` */
      get: (input: Input<'events.get'>, options?: CallOptions): Promise<Answer<'events.get'>> => caller.call('events.get', input, options),
      /** Delivers an event again to the subscriptions that match it now. `POST /events/{event_id}/replay` */
      replay: (input: Input<'events.replay'>, options?: CallOptions): Promise<Answer<'events.replay'>> =>
        caller.call('events.replay', input, options),
      /** Tells for each subscription where the delivery of an event stands, and why. `GET /events/{event_id}/deliveries` */
      deliveries: (input: Input<'events.deliveries'>, options?: CallOptions): Promise<Answer<'events.deliveries'>> =>
        caller.call('events.deliveries', input, options),
      /** Tells for each subscription where the delivery of an event stands, and why: page by page. */
      deliveriesPages: (
        input: Input<'events.deliveries'>,
        options?: CallOptions,
      ): AsyncGenerator<Page<Answer<'events.deliveries'>>, void, undefined> => caller.pages('events.deliveries', input, options),
      /** Tells for each subscription where the delivery of an event stands, and why: row by row, over all pages. */
      deliveriesAll: (
        input: Input<'events.deliveries'>,
        options?: CallOptions,
      ): AsyncGenerator<Row<'events.deliveries'>, void, undefined> => caller.rows('events.deliveries', input, options),
    },
    eventsPerDay: {
      /** Counts the events of an application by day. `GET /events_per_day/application` */
      application: (input: Input<'events_per_day.application'>, options?: CallOptions): Promise<Answer<'events_per_day.application'>> =>
        caller.call('events_per_day.application', input, options),
      /** Counts the events of all applications of an organization by day. `GET /events_per_day/organization` */
      organization: (input: Input<'events_per_day.organization'>, options?: CallOptions): Promise<Answer<'events_per_day.organization'>> =>
        caller.call('events_per_day.organization', input, options),
    },
    requestAttempts: {
      /** Lists request attempts, planned and made, newest first. `GET /request_attempts` */
      list: (input: Input<'request_attempts.list'>, options?: CallOptions): Promise<Answer<'request_attempts.list'>> =>
        caller.call('request_attempts.list', input, options),
      /** Lists request attempts, planned and made, newest first: page by page. */
      listPages: (
        input: Input<'request_attempts.list'>,
        options?: CallOptions,
      ): AsyncGenerator<Page<Answer<'request_attempts.list'>>, void, undefined> => caller.pages('request_attempts.list', input, options),
      /** Lists request attempts, planned and made, newest first: row by row, over all pages. */
      listAll: (
        input: Input<'request_attempts.list'>,
        options?: CallOptions,
      ): AsyncGenerator<Row<'request_attempts.list'>, void, undefined> => caller.rows('request_attempts.list', input, options),
      /** Reads a request attempt. `GET /request_attempts/{request_attempt_id}` */
      get: (input: Input<'request_attempts.get'>, options?: CallOptions): Promise<Answer<'request_attempts.get'>> =>
        caller.call('request_attempts.get', input, options),
      /** Tries a delivery once more, now: a waiting attempt at once, a finished one by a new attempt. `POST /request_attempts/{request_attempt_id}/retry` */
      retry: (input: Input<'request_attempts.retry'>, options?: CallOptions): Promise<Answer<'request_attempts.retry'>> =>
        caller.call('request_attempts.retry', input, options),
    },
    responses: {
      /** Reads what a receiver answered. `GET /responses/{response_id}` */
      get: (input: Input<'responses.get'>, options?: CallOptions): Promise<Answer<'responses.get'>> =>
        caller.call('responses.get', input, options),
    },
    eventTypes: {
      /** Lists the active event types of an application. `GET /event_types` */
      list: (input: Input<'event_types.list'>, options?: CallOptions): Promise<Answer<'event_types.list'>> =>
        caller.call('event_types.list', input, options),
      /** Creates an event type, or activates it again. `POST /event_types` */
      create: (input: Input<'event_types.create'>, options?: CallOptions): Promise<Answer<'event_types.create'>> =>
        caller.call('event_types.create', input, options),
      /** Reads an active event type. `GET /event_types/{event_type_name}` */
      get: (input: Input<'event_types.get'>, options?: CallOptions): Promise<Answer<'event_types.get'>> =>
        caller.call('event_types.get', input, options),
      /** Deactivates an event type. `DELETE /event_types/{event_type_name}` */
      deactivate: (input: Input<'event_types.deactivate'>, options?: CallOptions): Promise<Answer<'event_types.deactivate'>> =>
        caller.call('event_types.deactivate', input, options),
    },
    subscriptions: {
      /** Tells which subscriptions would get an event, and why the others would not; stores nothing. `POST /subscriptions/match` */
      match: (input: Input<'subscriptions.match'>, options?: CallOptions): Promise<Answer<'subscriptions.match'>> =>
        caller.call('subscriptions.match', input, options),
      /** Pauses a subscription: its attempts wait and are kept. `POST /subscriptions/{subscription_id}/pause` */
      pause: (input: Input<'subscriptions.pause'>, options?: CallOptions): Promise<Answer<'subscriptions.pause'>> =>
        caller.call('subscriptions.pause', input, options),
      /** Resumes a subscription: what waited is delivered; a hold ends, too. `POST /subscriptions/{subscription_id}/resume` */
      resume: (input: Input<'subscriptions.resume'>, options?: CallOptions): Promise<Answer<'subscriptions.resume'>> =>
        caller.call('subscriptions.resume', input, options),
      /** Gives a subscription a new secret; the old one signs beside it for a while. `POST /subscriptions/{subscription_id}/rotate_secret` */
      rotateSecret: (input: Input<'subscriptions.rotate_secret'>, options?: CallOptions): Promise<Answer<'subscriptions.rotate_secret'>> =>
        caller.call('subscriptions.rotate_secret', input, options),
      /** Sends a signed sample to a subscription, once, also while it is paused. `POST /subscriptions/{subscription_id}/test` */
      test: (input: Input<'subscriptions.test'>, options?: CallOptions): Promise<Answer<'subscriptions.test'>> =>
        caller.call('subscriptions.test', input, options),
      /** Lists the subscriptions of an application. `GET /subscriptions` */
      list: (input: Input<'subscriptions.list'>, options?: CallOptions): Promise<Answer<'subscriptions.list'>> =>
        caller.call('subscriptions.list', input, options),
      /** Creates a subscription with a secret of its own. `POST /subscriptions` */
      create: (input: Input<'subscriptions.create'>, options?: CallOptions): Promise<Answer<'subscriptions.create'>> =>
        caller.call('subscriptions.create', input, options),
      /** Reads a subscription. `GET /subscriptions/{subscription_id}` */
      get: (input: Input<'subscriptions.get'>, options?: CallOptions): Promise<Answer<'subscriptions.get'>> =>
        caller.call('subscriptions.get', input, options),
      /** Writes a subscription anew; its secret stays. `PUT /subscriptions/{subscription_id}` */
      update: (input: Input<'subscriptions.update'>, options?: CallOptions): Promise<Answer<'subscriptions.update'>> =>
        caller.call('subscriptions.update', input, options),
      /** Deletes a subscription and ends its deliveries. `DELETE /subscriptions/{subscription_id}` */
      delete: (input: Input<'subscriptions.delete'>, options?: CallOptions): Promise<Answer<'subscriptions.delete'>> =>
        caller.call('subscriptions.delete', input, options),
    },
    applications: {
      /** Lists the applications of an organization. `GET /applications` */
      list: (input: Input<'applications.list'>, options?: CallOptions): Promise<Answer<'applications.list'>> =>
        caller.call('applications.list', input, options),
      /** Creates an application and its first secret. `POST /applications` */
      create: (input: Input<'applications.create'>, options?: CallOptions): Promise<Answer<'applications.create'>> =>
        caller.call('applications.create', input, options),
      /** Reads an application and what it uses. `GET /applications/{application_id}` */
      get: (input: Input<'applications.get'>, options?: CallOptions): Promise<Answer<'applications.get'>> =>
        caller.call('applications.get', input, options),
      /** Renames an application; with the master key it also gives it quotas of its own. `PUT /applications/{application_id}` */
      update: (input: Input<'applications.update'>, options?: CallOptions): Promise<Answer<'applications.update'>> =>
        caller.call('applications.update', input, options),
      /** Deletes an application and ends its deliveries. `DELETE /applications/{application_id}` */
      delete: (input: Input<'applications.delete'>, options?: CallOptions): Promise<Answer<'applications.delete'>> =>
        caller.call('applications.delete', input, options),
    },
    applicationSecrets: {
      /** Lists the secrets of an application. `GET /application_secrets` */
      list: (input: Input<'application_secrets.list'>, options?: CallOptions): Promise<Answer<'application_secrets.list'>> =>
        caller.call('application_secrets.list', input, options),
      /** Creates an application secret. `POST /application_secrets` */
      create: (input: Input<'application_secrets.create'>, options?: CallOptions): Promise<Answer<'application_secrets.create'>> =>
        caller.call('application_secrets.create', input, options),
      /** Renames an application secret. `PUT /application_secrets/{application_secret_token}` */
      update: (input: Input<'application_secrets.update'>, options?: CallOptions): Promise<Answer<'application_secrets.update'>> =>
        caller.call('application_secrets.update', input, options),
      /** Deletes an application secret: it is refused from then on. `DELETE /application_secrets/{application_secret_token}` */
      delete: (input: Input<'application_secrets.delete'>, options?: CallOptions): Promise<Answer<'application_secrets.delete'>> =>
        caller.call('application_secrets.delete', input, options),
    },
    organizations: {
      /** Lists the organizations that the token may see. `GET /organizations` */
      list: (options?: CallOptions): Promise<Answer<'organizations.list'>> => caller.call('organizations.list', {}, options),
      /** Creates an organization. `POST /organizations` */
      create: (input: Input<'organizations.create'>, options?: CallOptions): Promise<Answer<'organizations.create'>> =>
        caller.call('organizations.create', input, options),
      /** Reads an organization and what it uses. `GET /organizations/{organization_id}` */
      get: (input: Input<'organizations.get'>, options?: CallOptions): Promise<Answer<'organizations.get'>> =>
        caller.call('organizations.get', input, options),
      /** Renames an organization and gives it quotas of its own. `PUT /organizations/{organization_id}` */
      update: (input: Input<'organizations.update'>, options?: CallOptions): Promise<Answer<'organizations.update'>> =>
        caller.call('organizations.update', input, options),
      /** Deletes an organization that has no applications. `DELETE /organizations/{organization_id}` */
      delete: (input: Input<'organizations.delete'>, options?: CallOptions): Promise<Answer<'organizations.delete'>> =>
        caller.call('organizations.delete', input, options),
    },
    workers: {
      /** Lists the workers that are known by name. `GET /workers` */
      list: (options?: CallOptions): Promise<Answer<'workers.list'>> => caller.call('workers.list', {}, options),
      /** Registers a worker. `POST /workers` */
      create: (input: Input<'workers.create'>, options?: CallOptions): Promise<Answer<'workers.create'>> =>
        caller.call('workers.create', input, options),
      /** Changes a worker. `PUT /workers/{worker_id}` */
      update: (input: Input<'workers.update'>, options?: CallOptions): Promise<Answer<'workers.update'>> =>
        caller.call('workers.update', input, options),
      /** Deletes a worker that nothing is assigned to. `DELETE /workers/{worker_id}` */
      delete: (input: Input<'workers.delete'>, options?: CallOptions): Promise<Answer<'workers.delete'>> =>
        caller.call('workers.delete', input, options),
    },
    organizationWorkers: {
      /** Lists the workers that are assigned to an organization. `GET /organizations/{organization_id}/workers` */
      list: (input: Input<'organization_workers.list'>, options?: CallOptions): Promise<Answer<'organization_workers.list'>> =>
        caller.call('organization_workers.list', input, options),
      /** Lets a worker deliver for an organization. `PUT /organizations/{organization_id}/workers/{worker_id}` */
      assign: (input: Input<'organization_workers.assign'>, options?: CallOptions): Promise<Answer<'organization_workers.assign'>> =>
        caller.call('organization_workers.assign', input, options),
      /** Ends the assignment of a worker to an organization. `DELETE /organizations/{organization_id}/workers/{worker_id}` */
      unassign: (input: Input<'organization_workers.unassign'>, options?: CallOptions): Promise<Answer<'organization_workers.unassign'>> =>
        caller.call('organization_workers.unassign', input, options),
    },
    auditLog: {
      /** Lists the changes of an organization, newest first. `GET /audit_log` */
      list: (input: Input<'audit_log.list'>, options?: CallOptions): Promise<Answer<'audit_log.list'>> =>
        caller.call('audit_log.list', input, options),
      /** Lists the changes of an organization, newest first: page by page. */
      listPages: (input: Input<'audit_log.list'>, options?: CallOptions): AsyncGenerator<Page<Answer<'audit_log.list'>>, void, undefined> =>
        caller.pages('audit_log.list', input, options),
      /** Lists the changes of an organization, newest first: row by row, over all pages. */
      listAll: (input: Input<'audit_log.list'>, options?: CallOptions): AsyncGenerator<Row<'audit_log.list'>, void, undefined> =>
        caller.rows('audit_log.list', input, options),
    },
    instance: {
      /** Describes this installation. `GET /instance` */
      get: (options?: CallOptions): Promise<Answer<'instance.get'>> => caller.call('instance.get', {}, options),
      /** Tells the limits of this installation. `GET /quotas` */
      quotas: (options?: CallOptions): Promise<Answer<'instance.quotas'>> => caller.call('instance.quotas', {}, options),
      /** Tells whether the installation works. `GET /health` */
      health: (input?: Input<'instance.health'>, options?: CallOptions): Promise<Answer<'instance.health'>> =>
        caller.call('instance.health', input ?? {}, options),
    },
    payloadContentTypes: {
      /** Lists the content types that payloads can have. `GET /payload_content_types` */
      list: (options?: CallOptions): Promise<Answer<'payload_content_types.list'>> =>
        caller.call('payload_content_types.list', {}, options),
    },
    errors: {
      /** Lists the problems that requests can end with. `GET /errors` */
      list: (options?: CallOptions): Promise<Answer<'errors.list'>> => caller.call('errors.list', {}, options),
      /** Explains a problem. `GET /errors/{id}` */
      get: (input: Input<'errors.get'>, options?: CallOptions): Promise<Answer<'errors.get'>> => caller.call('errors.get', input, options),
    },
    serviceTokens: {
      /** Lists the service tokens of an organization. `GET /service_token` */
      list: (input: Input<'service_tokens.list'>, options?: CallOptions): Promise<Answer<'service_tokens.list'>> =>
        caller.call('service_tokens.list', input, options),
      /** Creates a service token. `POST /service_token` */
      create: (input: Input<'service_tokens.create'>, options?: CallOptions): Promise<Answer<'service_tokens.create'>> =>
        caller.call('service_tokens.create', input, options),
      /** Reads a service token. `GET /service_token/{service_token_id}` */
      get: (input: Input<'service_tokens.get'>, options?: CallOptions): Promise<Answer<'service_tokens.get'>> =>
        caller.call('service_tokens.get', input, options),
      /** Writes a service token anew, restrictions included; the token itself stays. `PUT /service_token/{service_token_id}` */
      update: (input: Input<'service_tokens.update'>, options?: CallOptions): Promise<Answer<'service_tokens.update'>> =>
        caller.call('service_tokens.update', input, options),
      /** Deletes a service token: it is refused from then on. `DELETE /service_token/{service_token_id}` */
      delete: (input: Input<'service_tokens.delete'>, options?: CallOptions): Promise<Answer<'service_tokens.delete'>> =>
        caller.call('service_tokens.delete', input, options),
    },
    environmentVariables: {
      /** Lists the settings of the API and of the workers. `GET /environment_variables` */
      list: (options?: CallOptions): Promise<Answer<'environment_variables.list'>> =>
        caller.call('environment_variables.list', {}, options),
    },
    documentation: {
      /** Describes this API as an OpenAPI document. `GET /swagger.json` */
      openapi: (options?: CallOptions): Promise<Answer<'documentation.openapi'>> => caller.call('documentation.openapi', {}, options),
    },
  };
}
