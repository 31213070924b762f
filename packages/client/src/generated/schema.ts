// Made by `pnpm docs` from docs/openapi.json; do not edit.
export interface components {
  schemas: {
    Application: {
      /** Format: uuid */
      application_id: string;
      /** Format: uuid */
      organization_id: string;
      name: string;
    };
    ApplicationInfo: {
      /** Format: uuid */
      application_id: string;
      /** Format: uuid */
      organization_id: string;
      name: string;
      /** @description No limit is 2147483647. */
      quotas: {
        events_per_day_limit: number;
        days_of_events_retention_limit: number;
        subscriptions_per_application_limit: number;
        event_types_per_application_limit: number;
      };
      consumption: {
        events_per_day: number;
      };
      onboarding_steps: {
        /** @enum {string} */
        event_type: 'ToDo' | 'Done';
        /** @enum {string} */
        subscription: 'ToDo' | 'Done';
        /** @enum {string} */
        event: 'ToDo' | 'Done';
      };
    };
    ApplicationPost: {
      /** Format: uuid */
      organization_id: string;
      name: string;
    };
    ApplicationPut: {
      /** Format: uuid */
      organization_id: string;
      name: string;
      /** @description Only with the master key. Given, it replaces all limits of its own; a limit that is null or left out is that of the organization. */
      quotas?: {
        events_per_day_limit?: number | null;
        days_of_events_retention_limit?: number | null;
        subscriptions_per_application_limit?: number | null;
        event_types_per_application_limit?: number | null;
      } | null;
    };
    ApplicationSecret: {
      name: string | null;
      /** Format: uuid */
      token: string;
      /** Format: date-time */
      created_at: string;
      deleted_at: string | null;
    };
    ApplicationSecretPost: {
      /** Format: uuid */
      application_id: string;
      name?: string | null;
    };
    AttemptRetry: {
      /** Format: uuid */
      request_attempt_id: string;
      /** Format: uuid */
      event_id: string;
      /** Format: uuid */
      subscription_id: string;
      /** @enum {string} */
      outcome: 'created' | 'hastened' | 'in_progress';
    };
    BatchItem: components['schemas']['IngestedItem'] | components['schemas']['RefusedItem'];
    BatchResult: components['schemas']['BatchItem'][];
    Delivery: {
      subscription: {
        /** Format: uuid */
        subscription_id: string;
        description: string | null;
      };
      /** @enum {string} */
      state: 'not_planned' | 'waiting' | 'pending' | 'in_progress' | 'paused' | 'held' | 'limited' | 'successful' | 'failed' | 'cancelled';
      reason:
        | (
            | 'retries_exhausted'
            | 'gone'
            | 'invalid_header'
            | 'claims_exhausted'
            | 'subscription_disabled'
            | 'subscription_deleted'
            | 'cancelled'
            | 'other'
          )
        | null;
      explanation: string;
      attempts: number;
      next_attempt: {
        /** Format: uuid */
        request_attempt_id: string;
        retry_count: number;
        retries_max: number | null;
        at: string | null;
      } | null;
      last_attempt: {
        /** Format: uuid */
        request_attempt_id: string;
        retry_count: number;
        /** @enum {string} */
        status: 'successful' | 'failed';
        /** Format: date-time */
        at: string;
        http_response_status: number | null;
        error_name: string | null;
        response_id: string | null;
      } | null;
    };
    EnvironmentVariable: {
      /** @description As a flag, without its hyphens in front. */
      name: string;
      env_var: string;
      description: string | null;
      default: string | null;
      group: string | null;
      sensitive: boolean;
      required: boolean;
    };
    EventBatch: components['schemas']['EventPost'][];
    EventDeliveries: {
      /** Format: uuid */
      event_id: string;
      event_type_name: string;
      /** Format: date-time */
      received_at: string;
      /** @enum {string} */
      status: 'no_match' | 'waiting' | 'pending' | 'in_progress' | 'successful' | 'partially_failed' | 'failed';
      no_match_at: string | null;
      deliveries: components['schemas']['Delivery'][];
    };
    EventPost: {
      /** Format: uuid */
      application_id: string;
      /** @description Makes a repeated request harmless: it is answered 409. Ours when it is left out. */
      event_id?: string | null;
      event_type: string;
      /** @description A string, or any JSON value where the content type is application/json. */
      payload: unknown;
      /** @enum {string} */
      payload_content_type: 'text/plain' | 'application/json' | 'application/octet-stream+base64';
      /** Format: date-time */
      occurred_at: string;
      labels: {
        [key: string]: string;
      };
      metadata?: {
        [key: string]: string;
      } | null;
    };
    EventType: {
      service_name: string;
      resource_type_name: string;
      verb_name: string;
      event_type_name: string;
    };
    EventTypePost: {
      /** Format: uuid */
      application_id: string;
      service: string;
      resource_type: string;
      verb: string;
    };
    EventWithPayload: {
      /** Format: uuid */
      event_id: string;
      event_type_name: string;
      /** @enum {string} */
      payload_content_type: 'text/plain' | 'application/json' | 'application/octet-stream+base64';
      ip: string | null;
      metadata: {
        [key: string]: string;
      };
      /** Format: date-time */
      occurred_at: string;
      /** Format: date-time */
      received_at: string;
      labels: {
        [key: string]: string;
      };
      payload: string;
    };
    EventsPerDayEntry: {
      /** Format: uuid */
      application_id: string;
      application_name: string;
      /** Format: date */
      date: string;
      amount: number;
      is_provisional: boolean;
    };
    ExplainedProblem: {
      /**
       * Format: uri
       * @description Where the problem is explained.
       */
      type: string;
      id: components['schemas']['ProblemId'];
      title: string;
      /** @description What is wrong this time. */
      detail: string;
      status: number;
    };
    /** @description What is wrong with a field, and the bounds that apply. */
    FieldProblem: {
      code: string;
      message: string;
      params: {
        [key: string]: unknown;
      };
    };
    Health: {
      database: boolean;
      pulsar: null;
      object_storage: null;
      database_duration_ms: number;
      total_duration_ms: number;
    };
    IngestedEvent: {
      /** Format: uuid */
      application_id: string;
      /** Format: uuid */
      event_id: string;
      /** Format: date-time */
      received_at: string;
    };
    /** @description The event and all its attempts are committed. */
    IngestedItem: {
      /** @constant */
      status: 201;
      event: components['schemas']['IngestedEvent'];
    };
    InstanceConfig: {
      biscuit_public_key: string;
      support_email_address: string;
      registration_disabled: boolean;
      auto_db_migration: boolean;
      application_secret_compatibility: boolean;
      quota_enforcement: boolean;
      password_minimum_length: number;
      matomo: null;
      formbricks: null;
      cloudflare_turnstile_site_key: null;
    };
    ListedEvent: {
      /** Format: uuid */
      event_id: string;
      event_type_name: string;
      /** @enum {string} */
      payload_content_type: 'text/plain' | 'application/json' | 'application/octet-stream+base64';
      ip: string | null;
      metadata: {
        [key: string]: string;
      };
      /** Format: date-time */
      occurred_at: string;
      /** Format: date-time */
      received_at: string;
      labels: {
        [key: string]: string;
      };
      /** @enum {string} */
      status: 'no_match' | 'waiting' | 'pending' | 'in_progress' | 'successful' | 'partially_failed' | 'failed';
    };
    Organization: {
      /** Format: uuid */
      organization_id: string;
      /** @enum {string} */
      role: 'master' | 'editor' | 'viewer';
      name: string;
      plan: null;
    };
    OrganizationInfo: {
      /** Format: uuid */
      organization_id: string;
      name: string;
      plan: null;
      users: {
        /** Format: uuid */
        user_id: string;
        first_name: string;
        last_name: string;
        email: string;
        role: string;
      }[];
      /** @description No limit is 2147483647. */
      quotas: {
        members_per_organization_limit: number;
        applications_per_organization_limit: number;
        events_per_day_limit: number;
        days_of_events_retention_limit: number;
        subscriptions_per_application_limit: number;
        event_types_per_application_limit: number;
      };
      consumption: {
        members: number;
        applications: number;
        events_per_day: number;
      };
      onboarding_steps: {
        /** @enum {string} */
        application: 'ToDo' | 'Done';
        /** @enum {string} */
        event_type: 'ToDo' | 'Done';
        /** @enum {string} */
        subscription: 'ToDo' | 'Done';
        /** @enum {string} */
        event: 'ToDo' | 'Done';
      };
    };
    OrganizationPost: {
      name: string;
      organization_id?: string | null;
    };
    OrganizationPut: {
      name: string;
      organization_id?: string | null;
      /** @description Only with the master key. Given, it replaces all limits of its own; a limit that is null or left out is that of the installation. */
      quotas?: {
        members_per_organization_limit?: number | null;
        applications_per_organization_limit?: number | null;
        events_per_day_limit?: number | null;
        days_of_events_retention_limit?: number | null;
        subscriptions_per_application_limit?: number | null;
        event_types_per_application_limit?: number | null;
      } | null;
    };
    Problem: {
      /**
       * Format: uri
       * @description Where the problem is explained.
       */
      type: string;
      title: string;
      status: number;
      /** @description What is wrong this time. */
      detail: string;
      id: components['schemas']['ProblemId'];
      /** @description What is wrong, by field; null but for `Validation`. */
      validation: {
        [key: string]: components['schemas']['FieldProblem'][];
      } | null;
      /** @description The path of the request. */
      instance: string | null;
      /** @description A finer name, where one id stands for several failures. */
      code?: string;
    };
    /**
     * @description A closed set.
     * @enum {string}
     */
    ProblemId:
      | 'EventTypeDoesNotExist'
      | 'UnauthorizedWorkers'
      | 'EventInvalidPayloadContentType'
      | 'EventInvalidBase64Payload'
      | 'EventInvalidJsonPayload'
      | 'LabelsAmbiguity'
      | 'InvalidDateRange'
      | 'AuthInvalidAuthorizationHeader'
      | 'JsonPayload'
      | 'OrganizationNameMissing'
      | 'ApplicationNameMissing'
      | 'InvalidRole'
      | 'AuthNoAuthorizationHeader'
      | 'AuthInvalidBiscuit'
      | 'AuthInvalidApplicationSecret'
      | 'Forbidden'
      | 'NotFound'
      | 'EventAlreadyIngested'
      | 'EventTypeAlreadyExist'
      | 'OrganizationIsNotEmpty'
      | 'RegistrationDisabled'
      | 'Validation'
      | 'RateLimited'
      | 'TooManyApplicationsPerOrganization'
      | 'TooManyEventsToday'
      | 'TooManySubscriptionsPerApplication'
      | 'TooManyEventTypesPerApplication'
      | 'InternalServerError'
      | 'ServiceUnavailable';
    Quotas: {
      enabled: boolean;
      /** @description No limit is 2147483647. */
      limits: {
        global_members_per_organization_limit: number;
        global_applications_per_organization_limit: number;
        global_events_per_day_limit: number;
        global_days_of_events_retention_limit: number;
        global_subscriptions_per_application_limit: number;
        global_event_types_per_application_limit: number;
      };
    };
    /** @description As the event alone would have been refused. 409 with the code `same_content` is a success. */
    RefusedItem: {
      status: number;
      problem: components['schemas']['Problem'];
      /** @description Seconds after which to send this event again. */
      retry_after?: number;
    };
    ReplayPost: {
      /** Format: uuid */
      application_id: string;
      subscription_id?: string | null;
    };
    RequestAttempt: {
      /** Format: uuid */
      request_attempt_id: string;
      /** Format: uuid */
      event_id: string;
      event: {
        /** Format: uuid */
        event_id: string;
        event_type_name: string;
      };
      subscription: {
        /** Format: uuid */
        subscription_id: string;
        description: string | null;
      };
      /** Format: date-time */
      created_at: string;
      picked_at: string | null;
      failed_at: string | null;
      succeeded_at: string | null;
      delay_until: string | null;
      response_id: string | null;
      retry_count: number;
      http_response_status: number | null;
      status: components['schemas']['RequestAttemptStatus'];
      reason: string | null;
      /** @description What keeps an attempt back that waits or is due. */
      why: string | null;
      /** @description Nothing is sent to the subscription before. */
      hold_until: string | null;
    };
    RequestAttemptStatus:
      | {
          /** @constant */
          type: 'waiting';
          /** Format: date-time */
          since: string;
          /** Format: date-time */
          until: string;
        }
      | {
          /** @constant */
          type: 'pending';
          /** Format: date-time */
          since: string;
        }
      | {
          /** @constant */
          type: 'in_progress';
          /** Format: date-time */
          since: string;
        }
      | {
          /** @enum {string} */
          type: 'successful' | 'failed';
          /** Format: date-time */
          at: string;
          full_processing_ms: number;
        };
    Response: {
      /** Format: uuid */
      response_id: string;
      response_error_name: string | null;
      http_code: number | null;
      headers: {
        [key: string]: string;
      } | null;
      body: string | null;
      /** @enum {string} */
      body_encoding: 'utf8' | 'base64';
      body_truncated: boolean;
      elapsed_time_ms: number;
    };
    SecretRotation: {
      /** Format: uuid */
      subscription_id: string;
      /** Format: uuid */
      secret: string;
      standard_webhooks_secret: string;
      previous_secret_ends_at: string | null;
    };
    ServiceToken: {
      /** Format: uuid */
      token_id: string;
      name: string;
      /** @description The token: what the Authorization header carries. */
      biscuit: string;
      /** Format: date-time */
      created_at: string;
      /** @enum {string} */
      role: 'editor' | 'viewer';
      /** @description The applications that it may use; null for all. */
      application_ids: string[] | null;
      /** @description The operations that it may call; null for all that its role may. */
      actions: string[] | null;
      expires_at: string | null;
    };
    ServiceTokenPost: {
      /** Format: uuid */
      organization_id: string;
      name: string;
      role?: string | null;
      application_ids?: string[] | null;
      actions?: string[] | null;
      expires_at?: string | null;
    };
    Subscription: {
      /** Format: uuid */
      application_id: string;
      /** Format: uuid */
      subscription_id: string;
      is_enabled: boolean;
      disabled_reason: string | null;
      is_paused: boolean;
      paused_at: string | null;
      /**
       * @description How it is delivered to at present: `held` not before `hold_until`, `recovering` and `limited` slower than it could be.
       * @enum {string}
       */
      status: 'disabled' | 'paused' | 'held' | 'recovering' | 'limited' | 'active';
      /** @description Nothing is sent before. */
      hold_until: string | null;
      /** @description What the status comes from, in a sentence. */
      why: string | null;
      /** @description Since when every request failed. */
      failing_since: string | null;
      event_types: string[];
      description: string | null;
      /** Format: uuid */
      secret: string;
      standard_webhooks_secret: string;
      previous_secret_ends_at: string | null;
      metadata: {
        [key: string]: string;
      };
      label_key: string;
      label_value: string;
      labels: {
        [key: string]: string;
      };
      target: {
        /** @constant */
        type: 'http';
        /** @enum {string} */
        method: 'GET' | 'PATCH' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD';
        url: string;
        headers: {
          [key: string]: string | string[];
        };
      };
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string;
      dedicated_workers: string[];
      retry_schedule: {
        delays: number[] | null;
        max_fast_retries: number | null;
        fast_retry_delay: number | null;
        fast_retry_max_delay: number | null;
        max_slow_retries: number | null;
        slow_retry_delay: number | null;
        slow_retry_max_delay: number | null;
      } | null;
      timeout: number | null;
      max_in_flight: number | null;
      rate_limit: {
        requests: number;
        period: number;
      } | null;
    };
    SubscriptionMatch: {
      subscriptions: {
        /** Format: uuid */
        subscription_id: string;
        description: string | null;
        /** @enum {string} */
        delivery: 'now' | 'when_resumed' | 'never';
        reasons: {
          /** @enum {string} */
          code: 'disabled' | 'paused' | 'event_type_not_listed' | 'label_missing' | 'label_differs';
          label: string | null;
          wanted: string | null;
          got: string | null;
        }[];
      }[];
    };
    SubscriptionPause: {
      /** Format: uuid */
      subscription_id: string;
      is_paused: boolean;
      paused_at: string | null;
    };
    SubscriptionPost: {
      /** Format: uuid */
      application_id: string;
      is_enabled: boolean;
      event_types: string[];
      description?: string | null;
      metadata?: {
        [key: string]: string;
      } | null;
      /** @description Events must have all of them; `{}` matches every event of the types. */
      labels?: {
        [key: string]: string;
      } | null;
      /**
       * @deprecated
       * @description The older form of one label, with label_value.
       */
      label_key?: string | null;
      /**
       * @deprecated
       * @description The older form of one label, with label_key.
       */
      label_value?: string | null;
      target: {
        /** @constant */
        type: 'http';
        /** @enum {string} */
        method: 'GET' | 'PATCH' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD';
        /** Format: uri */
        url: string;
        headers?: {
          [key: string]: string | string[];
        } | null;
      };
      /** @description Names of the workers that deliver for it, and no others. */
      dedicated_workers?: string[] | null;
      retry_schedule?: {
        delays?: (number | string)[] | null;
        max_fast_retries?: number | null;
        fast_retry_delay?: number | string | null;
        fast_retry_max_delay?: number | string | null;
        max_slow_retries?: number | null;
        slow_retry_delay?: number | string | null;
        slow_retry_max_delay?: number | string | null;
      } | null;
      timeout?: number | string | null;
      max_in_flight?: number | null;
      rate_limit?: {
        requests: number;
        period: number | string;
      } | null;
    };
    SubscriptionTest: {
      /** Format: uuid */
      subscription_id: string;
      /** Format: uuid */
      event_id: string;
      event_type: string;
      /** Format: uuid */
      request_attempt_id: string;
    };
    Worker: {
      /** Format: uuid */
      worker_id: string;
      name: string;
      description: string | null;
      public: boolean;
      /** Format: date-time */
      created_at: string;
    };
    WorkerPost: {
      name: string;
      description?: string | null;
      public: boolean;
    };
    WrittenSubscription: {
      /** Format: uuid */
      application_id: string;
      /** Format: uuid */
      subscription_id: string;
      is_enabled: boolean;
      disabled_reason: string | null;
      is_paused: boolean;
      paused_at: string | null;
      /**
       * @description How it is delivered to at present: `held` not before `hold_until`, `recovering` and `limited` slower than it could be.
       * @enum {string}
       */
      status: 'disabled' | 'paused' | 'held' | 'recovering' | 'limited' | 'active';
      /** @description Nothing is sent before. */
      hold_until: string | null;
      /** @description What the status comes from, in a sentence. */
      why: string | null;
      /** @description Since when every request failed. */
      failing_since: string | null;
      event_types: string[];
      description: string | null;
      /** Format: uuid */
      secret: string;
      standard_webhooks_secret: string;
      previous_secret_ends_at: string | null;
      metadata: {
        [key: string]: string;
      };
      label_key: string;
      label_value: string;
      labels: {
        [key: string]: string;
      };
      target: {
        /** @constant */
        type: 'http';
        /** @enum {string} */
        method: 'GET' | 'PATCH' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD';
        url: string;
        headers: {
          [key: string]: string | string[];
        };
      };
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string;
      dedicated_workers: string[];
      retry_schedule: {
        delays: number[] | null;
        max_fast_retries: number | null;
        fast_retry_delay: number | null;
        fast_retry_max_delay: number | null;
        max_slow_retries: number | null;
        slow_retry_delay: number | null;
        slow_retry_max_delay: number | null;
      } | null;
      timeout: number | null;
      max_in_flight: number | null;
      rate_limit: {
        requests: number;
        period: number;
      } | null;
      warnings: string[];
    };
    __schema0: unknown;
    __schema1: unknown;
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export interface operations {
  'events.ingest': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['EventPost'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['IngestedEvent'];
        };
      };
    };
  };
  'events.ingest_batch': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['EventBatch'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['BatchResult'];
        };
      };
    };
  };
  'events.list': {
    parameters: {
      query: {
        application_id: string;
        event_type?: string | string[];
        status?: string | string[];
        since?: string;
        until?: string;
        label?: string | string[];
        page?: number;
        per_page?: number;
        /** @description Opaque: as the Link header of the page before gave it. */
        pagination_cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ListedEvent'][];
        };
      };
    };
  };
  'events.get': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path: {
        event_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventWithPayload'];
        };
      };
    };
  };
  'events.replay': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        event_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ReplayPost'];
      };
    };
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'events.deliveries': {
    parameters: {
      query: {
        application_id: string;
        /** @description Opaque: as the Link header of the page before gave it. */
        pagination_cursor?: string;
      };
      header?: never;
      path: {
        event_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventDeliveries'];
        };
      };
    };
  };
  'events_per_day.application': {
    parameters: {
      query: {
        application_id: string;
        from?: string;
        to?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventsPerDayEntry'][];
        };
      };
    };
  };
  'events_per_day.organization': {
    parameters: {
      query: {
        organization_id: string;
        from?: string;
        to?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventsPerDayEntry'][];
        };
      };
    };
  };
  'request_attempts.list': {
    parameters: {
      query: {
        application_id: string;
        event_id?: string;
        subscription_id?: string;
        min_created_at?: string;
        max_created_at?: string;
        /** @description Names, separated by commas. */
        'event.event_type_names'?: string;
        /** @description Separated by commas: waiting, pending, in_progress, successful, failed. */
        status?: string;
        /** @description Opaque: as the Link header of the page before gave it. */
        pagination_cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['RequestAttempt'][];
        };
      };
    };
  };
  'request_attempts.get': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path: {
        request_attempt_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['RequestAttempt'];
        };
      };
    };
  };
  'request_attempts.retry': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        request_attempt_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** Format: uuid */
          application_id: string;
        };
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AttemptRetry'];
        };
      };
    };
  };
  'responses.get': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path: {
        response_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Response'];
        };
      };
    };
  };
  'event_types.list': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventType'][];
        };
      };
    };
  };
  'event_types.create': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['EventTypePost'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventType'];
        };
      };
    };
  };
  'event_types.get': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path: {
        event_type_name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EventType'];
        };
      };
    };
  };
  'event_types.deactivate': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path: {
        event_type_name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'subscriptions.match': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          /** Format: uuid */
          application_id: string;
          event_type: string;
          labels: {
            [key: string]: string;
          };
        };
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SubscriptionMatch'];
        };
      };
    };
  };
  'subscriptions.pause': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        subscription_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SubscriptionPause'];
        };
      };
    };
  };
  'subscriptions.resume': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        subscription_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SubscriptionPause'];
        };
      };
    };
  };
  'subscriptions.rotate_secret': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        subscription_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          overlap?: number | string | null;
        };
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SecretRotation'];
        };
      };
    };
  };
  'subscriptions.test': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        subscription_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': {
          event_type?: string | null;
          payload?: unknown;
          payload_content_type?: string | null;
        };
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SubscriptionTest'];
        };
      };
    };
  };
  'subscriptions.list': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Subscription'][];
        };
      };
    };
  };
  'subscriptions.create': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['SubscriptionPost'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['WrittenSubscription'];
        };
      };
    };
  };
  'subscriptions.get': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        subscription_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Subscription'];
        };
      };
    };
  };
  'subscriptions.update': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        subscription_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['SubscriptionPost'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['WrittenSubscription'];
        };
      };
    };
  };
  'subscriptions.delete': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path: {
        subscription_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'applications.list': {
    parameters: {
      query: {
        organization_id: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Application'][];
        };
      };
    };
  };
  'applications.create': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ApplicationPost'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Application'];
        };
      };
    };
  };
  'applications.get': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        application_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ApplicationInfo'];
        };
      };
    };
  };
  'applications.update': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        application_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ApplicationPut'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Application'];
        };
      };
    };
  };
  'applications.delete': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        application_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'application_secrets.list': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ApplicationSecret'][];
        };
      };
    };
  };
  'application_secrets.create': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ApplicationSecretPost'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ApplicationSecret'];
        };
      };
    };
  };
  'application_secrets.update': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        application_secret_token: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ApplicationSecretPost'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ApplicationSecret'];
        };
      };
    };
  };
  'application_secrets.delete': {
    parameters: {
      query: {
        application_id: string;
      };
      header?: never;
      path: {
        application_secret_token: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'organizations.list': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Organization'][];
        };
      };
    };
  };
  'organizations.create': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['OrganizationPost'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['OrganizationInfo'];
        };
      };
    };
  };
  'organizations.get': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        organization_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['OrganizationInfo'];
        };
      };
    };
  };
  'organizations.update': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        organization_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['OrganizationPut'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['OrganizationInfo'];
        };
      };
    };
  };
  'organizations.delete': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        organization_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'workers.list': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'][];
        };
      };
    };
  };
  'workers.create': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['WorkerPost'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'];
        };
      };
    };
  };
  'workers.update': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['WorkerPost'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'];
        };
      };
    };
  };
  'workers.delete': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'organization_workers.list': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        organization_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'][];
        };
      };
    };
  };
  'organization_workers.assign': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        organization_id: string;
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'organization_workers.unassign': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        organization_id: string;
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'audit_log.list': {
    parameters: {
      query: {
        organization_id: string;
        since?: string;
        until?: string;
        action?: string;
        application_id?: string;
        /** @description Opaque: as the Link header of the page before gave it. */
        pagination_cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** Format: uuid */
            organization_id: string;
            /** @description Counts the entries of the organization without gaps. */
            sequence: number;
            /** Format: date-time */
            recorded_at: string;
            actor: {
              /** @enum {string} */
              kind: 'master' | 'application_secret' | 'service_token' | 'system';
              /** @description Which secret or token, never itself. */
              id: string | null;
            };
            ip: string | null;
            request_id: string | null;
            /** @description The name of the operation, such as `subscriptions.create`. */
            action: string;
            target: {
              kind: string;
              id: string;
            };
            application_id: string | null;
            changes: {
              [key: string]: {
                /** @description Left out of what was created. */
                from?: components['schemas']['__schema0'];
                /** @description Left out of what was deleted. */
                to?: components['schemas']['__schema1'];
              };
            };
            previous_hash: string;
            hash: string;
          }[];
        };
      };
    };
  };
  'instance.get': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['InstanceConfig'];
        };
      };
    };
  };
  'payload_content_types.list': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': ('text/plain' | 'application/json' | 'application/octet-stream+base64')[];
        };
      };
    };
  };
  'instance.quotas': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Quotas'];
        };
      };
    };
  };
  'instance.health': {
    parameters: {
      query?: {
        key?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Health'];
        };
      };
      /** @description Service Unavailable */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Health'];
        };
      };
    };
  };
  'errors.list': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ExplainedProblem'][];
        };
      };
    };
  };
  'errors.get': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ExplainedProblem'];
        };
      };
    };
  };
  'service_tokens.list': {
    parameters: {
      query: {
        organization_id: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ServiceToken'][];
        };
      };
    };
  };
  'service_tokens.create': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ServiceTokenPost'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ServiceToken'];
        };
      };
    };
  };
  'service_tokens.get': {
    parameters: {
      query: {
        organization_id: string;
      };
      header?: never;
      path: {
        service_token_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ServiceToken'];
        };
      };
    };
  };
  'service_tokens.update': {
    parameters: {
      query?: never;
      header?: never;
      path: {
        service_token_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ServiceTokenPost'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ServiceToken'];
        };
      };
    };
  };
  'service_tokens.delete': {
    parameters: {
      query: {
        organization_id: string;
      };
      header?: never;
      path: {
        service_token_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  'environment_variables.list': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EnvironmentVariable'][];
        };
      };
    };
  };
  'documentation.openapi': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            [key: string]: unknown;
          };
        };
      };
    };
  };
}
