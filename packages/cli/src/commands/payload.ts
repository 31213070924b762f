import { isUtf8 } from 'node:buffer';
import { UsageError } from '../failures.ts';

export const contentTypes = ['application/json', 'text/plain', 'application/octet-stream+base64'] as const;
export type ContentType = (typeof contentTypes)[number];

export interface Payload {
  readonly payload: string;
  readonly payload_content_type: ContentType;
}

/** The payload as the API takes it. Its kind is guessed from the bytes where it is not given: JSON, else text, else bytes. */
export function payloadOf(bytes: Buffer, given: { readonly contentType?: ContentType | undefined; readonly fileName?: string }): Payload {
  const contentType = given.contentType ?? guess(bytes, given.fileName ?? '');
  if (contentType === 'application/octet-stream+base64') {
    return { payload: bytes.toString('base64'), payload_content_type: contentType };
  }
  if (!isUtf8(bytes)) {
    throw new UsageError(
      `The payload is not UTF-8 text, as ${contentType} is: --content-type application/octet-stream+base64 sends its bytes.`,
    );
  }
  return { payload: bytes.toString(), payload_content_type: contentType };
}

function guess(bytes: Buffer, fileName: string): ContentType {
  if (!isUtf8(bytes)) {
    return 'application/octet-stream+base64';
  }
  const failure = jsonFailure(bytes.toString());
  if (failure !== null && /\.json$/i.test(fileName)) {
    throw new UsageError(`${fileName} is not JSON: ${failure}. --content-type text/plain sends it as it is.`);
  }
  return failure === null ? 'application/json' : 'text/plain';
}

function jsonFailure(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
