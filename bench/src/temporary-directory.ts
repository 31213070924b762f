import { mkdirSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the work a directory that accounts without privileges can enter, and removes it afterwards. */
export async function withTemporaryDirectory<T>(prefix: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = join(tmpdir(), `${prefix}${randomUUID()}`);
  mkdirSync(directory, { mode: 0o755 });
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
