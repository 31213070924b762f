import type { AuditActor } from '../services/audit.ts';

/** Who is asking. */
export type Principal =
  /** On routes that are open to everybody. */
  { readonly kind: 'anonymous' } | MasterPrincipal | ApplicationPrincipal | ServicePrincipal;

/** The master key. */
export interface MasterPrincipal {
  readonly kind: 'master';
}

/** The secret of an application. */
export interface ApplicationPrincipal {
  readonly kind: 'application';
  readonly applicationId: string;
  readonly organizationId: string;
  readonly applicationSecretId: string;
}

/** A service token of an organization. */
export interface ServicePrincipal {
  readonly kind: 'service';
  readonly serviceTokenId: string;
  readonly organizationId: string;
  readonly role: 'editor' | 'viewer';
  /** Null for all of the organization. */
  readonly applicationIds: readonly string[] | null;
  /** Names of operations; null for all that the role may call. */
  readonly actions: readonly string[] | null;
  readonly expires: boolean;
}

/** Who the audit log says it was. What everybody may do changes nothing: it would be the installation's own doing. */
export function actorOf(principal: Principal): AuditActor {
  switch (principal.kind) {
    case 'master':
      return { kind: 'master', id: null };
    case 'application':
      return { kind: 'application_secret', id: principal.applicationSecretId };
    case 'service':
      return { kind: 'service_token', id: principal.serviceTokenId };
    case 'anonymous':
      return { kind: 'system', id: null };
  }
}
