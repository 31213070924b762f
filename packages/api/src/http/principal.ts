/** Who is asking. */
export type Principal =
  /** On routes that are open to everybody. */
  { readonly kind: 'anonymous' } | { readonly kind: 'master' } | ApplicationPrincipal | ServicePrincipal;

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
