import { ProblemError } from '../problems.ts';
import type { TokenCache } from '../services/token-cache.ts';
import type { MasterPrincipal, Principal, ServicePrincipal } from './principal.ts';
import type { Route } from './route.ts';

/** An application that a principal may use, and whose it is. */
export interface AuthorizedApplication {
  readonly applicationId: string;
  readonly organizationId: string;
}

type OperationFacts = Pick<Route, 'name' | 'method' | 'access' | 'readOnly' | 'handsOut' | 'keepsToApplications'>;

/** Lets a principal call a route at all, whatever it would act on. */
export function authorizeOperation(principal: Principal, route: OperationFacts): void {
  const refusal = refusalOf(principal, route);
  if (refusal !== null) {
    throw new ProblemError('Forbidden', { detail: refusal });
  }
}

/** Why not; null when it may. */
function refusalOf(principal: Principal, route: OperationFacts): string | null {
  if (route.access === 'public' || principal.kind === 'master') {
    return null;
  }
  if (route.access === 'master') {
    return 'It takes the master key to do that.';
  }
  switch (principal.kind) {
    case 'anonymous':
      return 'It takes a token to do that.';
    case 'application':
      return route.access === 'organization'
        ? 'Application secrets may not do that: it takes a service token of the organization or the master key.'
        : null;
    case 'service':
      return refusalOfService(principal, route);
  }
}

function refusalOfService(principal: ServicePrincipal, route: OperationFacts): string | null {
  if (principal.role === 'viewer' && route.method !== 'get' && !route.readOnly) {
    return 'The role of this service token is viewer: it may change nothing.';
  }
  if (principal.actions !== null && !principal.actions.includes(route.name)) {
    return `This service token is restricted to some actions, and ${route.name} is none of them.`;
  }
  if (route.access === 'organization' && principal.applicationIds !== null && !route.keepsToApplications) {
    return 'This service token is restricted to some applications: it may not act on the organization as a whole.';
  }
  // Whoever gets hold of a token can do what that one can. So tokens are handed out only to who could do all of it anyway, for ever.
  if (route.handsOut && (principal.role === 'viewer' || principal.actions !== null || principal.expires)) {
    return 'This service token is restricted: it may not read or make tokens and secrets that can do more, or last longer, than itself.';
  }
  return null;
}

/** Which operations a service token can be restricted to: those that it can then call. */
export function isGrantable(route: Pick<Route, 'access' | 'handsOut'>): boolean {
  return (route.access === 'application' || route.access === 'organization') && !route.handsOut;
}

/** Lets a principal act on an application, or fails as if it did not exist. */
export function authorizeApplication(
  tokens: Pick<TokenCache, 'findApplication'>,
  principal: Principal,
  applicationId: string,
): AuthorizedApplication | Promise<AuthorizedApplication> {
  const authorized = findAuthorized(tokens, principal, applicationId);
  return authorized instanceof Promise ? authorized.then(requireAuthorized) : requireAuthorized(authorized);
}

function requireAuthorized(authorized: AuthorizedApplication | null): AuthorizedApplication {
  if (!authorized) {
    throw new ProblemError('Forbidden');
  }
  return authorized;
}

/** The application when the principal may use it; null when not, or when there is none. At once for the application's own tokens. */
export function findAuthorized(
  tokens: Pick<TokenCache, 'findApplication'>,
  principal: Principal,
  applicationId: string,
): AuthorizedApplication | null | Promise<AuthorizedApplication | null> {
  if (principal.kind === 'anonymous') {
    return null;
  }
  if (principal.kind === 'application') {
    const { organizationId } = principal;
    return principal.applicationId === applicationId ? { applicationId, organizationId } : null;
  }
  return findForOthers(tokens, principal, applicationId);
}

async function findForOthers(
  tokens: Pick<TokenCache, 'findApplication'>,
  principal: MasterPrincipal | ServicePrincipal,
  applicationId: string,
): Promise<AuthorizedApplication | null> {
  if (principal.kind === 'service' && principal.applicationIds !== null && !principal.applicationIds.includes(applicationId)) {
    return null;
  }
  const application = await tokens.findApplication(applicationId);
  if (!application || (principal.kind === 'service' && application.organization_id !== principal.organizationId)) {
    return null;
  }
  return { applicationId, organizationId: application.organization_id };
}

/** Lets a principal act on an organization, or fails as if it did not exist. Whether it does, the handler finds out. */
export function authorizeOrganization(principal: Principal, organizationId: string): void {
  if (principal.kind !== 'master' && !(principal.kind === 'service' && principal.organizationId === organizationId)) {
    throw new ProblemError('Forbidden', { detail: 'This token may not do that, or the organization does not exist.' });
  }
}
