/** Who is asking. */
export type Principal =
  /** On routes that are open to everybody. */
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'master' }
  | { readonly kind: 'application'; readonly applicationId: string; readonly applicationSecretId: string };
