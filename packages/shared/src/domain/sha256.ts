import { hash } from 'node:crypto';

/**
 * SHA-256, in memory from the pool of buffers: a buffer with memory of its own, as Node makes it for a hash, costs more than the hash of a
 * small value, and gives the collector something to do besides.
 */
export function sha256(data: string | Uint8Array): Buffer {
  return Buffer.from(sha256InBase64(data), 'base64');
}

/** SHA-256 in base64. */
export function sha256InBase64(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64');
}
