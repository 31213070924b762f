/** Why a webhook is refused. */
export type WebhookVerificationProblem =
  /** The receiver's own mistake: no secret, one that cannot be read, or a body that was parsed before it was verified. */
  | 'secret_invalid'
  | 'body_invalid'
  /** There is no signature, or it is not of this scheme. */
  | 'signature_missing'
  | 'signature_malformed'
  | 'version_not_accepted'
  /** A header that the signature covers did not arrive. */
  | 'signed_header_missing'
  | 'too_old'
  | 'too_new'
  | 'signature_mismatch';

/** A webhook that must not be believed: answer with a status of 400 and do nothing of what it says. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  readonly problem: WebhookVerificationProblem;

  constructor(problem: WebhookVerificationProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
