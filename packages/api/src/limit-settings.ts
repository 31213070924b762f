import { boolean, integer, list } from '@postrider/shared/config/setting-kinds';
import type { ValuesOf } from '@postrider/shared/config/settings';
import { parseCidr, type ParsedCidr } from '@postrider/shared/domain/ip-address';
import { type OrganizationLimits, unlimited } from '@postrider/shared/domain/quotas';
import type { RateLimits } from './services/limits/rate-limiter.ts';

const rateGroup = 'Rate limits';
const quotaGroup = 'Quotas';

/** What limits requests, and whom proxies are believed to speak for. */
export const rateLimitSettings = {
  rateLimitingDisabled: boolean({ name: 'DISABLE_API_RATE_LIMITING', group: rateGroup, description: 'Limits no requests at all.' }, false),
  globalRateLimitingDisabled: disabled('GLOBAL', 'Does not limit all requests together.'),
  globalRateBurst: burst('GLOBAL', 'Requests of all clients together that one instance takes at once', 2000),
  globalRatePeriodMs: period('GLOBAL', 1),
  ipRateLimitingDisabled: disabled('IP', 'Does not limit the requests of an address.'),
  ipRateBurst: burst('IP', 'Requests of one IPv4 address, or of one /64 of IPv6, that one instance takes at once', 200),
  ipRatePeriodMs: period('IP', 10),
  tokenRateLimitingDisabled: disabled('TOKEN', 'Does not limit the requests of a token.'),
  tokenRateBurst: burst(
    'TOKEN',
    'Requests of one application secret or service token that are taken at once; the master key has no limit',
    20,
  ),
  tokenRatePeriodMs: period('TOKEN', 100),
  sharedRateLimits: boolean(
    {
      name: 'API_RATE_LIMITING_SHARED',
      group: rateGroup,
      description:
        'Limits of tokens hold for all instances together, counted in the database in leased chunks; without, for each instance by itself. While the database is away each instance limits by itself.',
    },
    false,
  ),
  reverseProxyIps: list<ParsedCidr>(
    {
      name: 'REVERSE_PROXY_IPS',
      group: rateGroup,
      description:
        'Addresses and ranges of reverse proxies. Of connections from there `X-Forwarded-For` is believed, or `Forwarded` where there is none of it; from elsewhere neither is.',
      defaultText: 'unset',
    },
    {
      read: parseCidr,
      wants: 'ranges such as 10.1.0.0/16 or fd00::/8, separated by commas',
      show: ([address, bits]) => `${address.toString()}/${bits}`,
      fallback: [],
    },
  ),
};

/** How much organizations and applications may use. */
export const quotaSettings = {
  quotaEnforcement: boolean(
    {
      name: 'ENABLE_QUOTA_ENFORCEMENT',
      group: quotaGroup,
      description: 'Holds organizations and applications to their quotas: those below, or their own, which the master key gives them.',
    },
    false,
  ),
  membersQuota: quota('MEMBERS_PER_ORGANIZATION', 'Members of an organization. Shown only: there are no user accounts.'),
  applicationsQuota: quota('APPLICATIONS_PER_ORGANIZATION', 'Applications of an organization.'),
  eventsPerDayQuota: quota('EVENTS_PER_DAY', 'Events that all applications of an organization together may ingest on one day, in UTC.'),
  retentionDaysQuota: quota('DAYS_OF_EVENTS_RETENTION', 'Days for which events are kept. Shown only: nothing deletes events by it.'),
  subscriptionsQuota: quota('SUBSCRIPTIONS_PER_APPLICATION', 'Subscriptions of an application.'),
  eventTypesQuota: quota('EVENT_TYPES_PER_APPLICATION', 'Active event types of an application.'),
};

/** The settings of rate limits as the limiter takes them. */
export function rateLimitsOf(config: ValuesOf<typeof rateLimitSettings>): RateLimits {
  const limitOf = (isDisabled: boolean, layerBurst: number, periodMs: number) =>
    config.rateLimitingDisabled || isDisabled ? null : { burst: layerBurst, periodMs };
  return {
    global: limitOf(config.globalRateLimitingDisabled, config.globalRateBurst, config.globalRatePeriodMs),
    ip: limitOf(config.ipRateLimitingDisabled, config.ipRateBurst, config.ipRatePeriodMs),
    token: limitOf(config.tokenRateLimitingDisabled, config.tokenRateBurst, config.tokenRatePeriodMs),
    isShared: config.sharedRateLimits,
  };
}

/** The quotas of the installation. */
export function quotaLimitsOf(config: ValuesOf<typeof quotaSettings>): OrganizationLimits {
  return {
    members_per_organization_limit: config.membersQuota,
    applications_per_organization_limit: config.applicationsQuota,
    events_per_day_limit: config.eventsPerDayQuota,
    days_of_events_retention_limit: config.retentionDaysQuota,
    subscriptions_per_application_limit: config.subscriptionsQuota,
    event_types_per_application_limit: config.eventTypesQuota,
  };
}

type LayerName = 'GLOBAL' | 'IP' | 'TOKEN';

function disabled(layer: LayerName, description: string) {
  return boolean({ name: `DISABLE_API_RATE_LIMITING_${layer}`, group: rateGroup, description }, false);
}

function burst(layer: LayerName, description: string, value: number) {
  return integer(
    { name: `API_RATE_LIMITING_${layer}_BURST_SIZE`, group: rateGroup, description: `${description}.`, min: 1, max: 1_000_000 },
    value,
  );
}

function period(layer: LayerName, value: number) {
  const name = `API_RATE_LIMITING_${layer}_REPLENISH_PERIOD_IN_MS`;
  return integer({ name, group: rateGroup, description: 'Milliseconds after which one more is taken.', min: 1, max: 86_400_000 }, value);
}

function quota(name: string, description: string) {
  return integer(
    { name: `QUOTA_GLOBAL_${name}_LIMIT`, group: quotaGroup, description, defaultText: 'unlimited', min: 1, max: unlimited },
    unlimited,
  );
}
