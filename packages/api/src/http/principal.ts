import type { AuditActor } from '../services/audit.ts';

/** Who is asking. */
export type Principal =
  /** On routes that are open to everybody. */
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'master' }
  | { readonly kind: 'application'; readonly applicationId: string; readonly applicationSecretId: string };

/** Who the audit log says it was. What everybody may do changes nothing: it would be the installation's own doing. */
export function actorOf(principal: Principal): AuditActor {
  switch (principal.kind) {
    case 'master':
      return { kind: 'master', id: null };
    case 'application':
      return { kind: 'application_secret', id: principal.applicationSecretId };
    case 'anonymous':
      return { kind: 'system', id: null };
  }
}
