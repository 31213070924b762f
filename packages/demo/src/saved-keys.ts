import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const savedKeys = z.object({
  secrets_key: z.string(),
  master_api_key: z.string(),
  database_password: z.string(),
  organization_id: z.string(),
});

/** What must be the same on every start, since what is in the database was made with it. */
export type SavedKeys = z.output<typeof savedKeys>;

/** Reads the keys of earlier starts, or makes them; the file is for its owner only. */
export function loadKeys(path: string): SavedKeys {
  if (existsSync(path)) {
    return savedKeys.parse(JSON.parse(readFileSync(path, 'utf8')));
  }
  const keys: SavedKeys = {
    secrets_key: randomBytes(32).toString('base64'),
    master_api_key: randomUUID(),
    database_password: randomBytes(18).toString('base64url'),
    organization_id: randomUUID(),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return keys;
}
