import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isClaim, readStatements } from './statement-log.ts';

test('reads the statements of workers, and which of them claimed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postrider-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'log');
  writeFileSync(
    file,
    `1763716400.100 10 [] LOG:  database system is ready to accept connections
1763716401.250 11 [postrider worker] LOG:  statement: listen postrider_due_attempts
1763716401.500 12 [postrider worker] LOG:  execute claim_request_attempts_2025-11-21: 
\twith due as materialized (
\t  select ctid
1763716401.501 13 [postrider worker] LOG:  execute renew_leases: 
1763716401.502 12 [postrider worker] DETAIL:  Parameters: $1 = '0', $2 = '0', $3 = '0', $4 = '20', $5 = 'a', $6 = '30000', $7 = '8', $8 = '{}'
1763716401.600 14 [postrider api] LOG:  execute notify_due_attempts: select pg_notify($1, $2)
`,
  );

  const statements = readStatements(file);

  expect(statements).toEqual([
    { atMs: 1763716401250, name: null, workerProcessId: null },
    { atMs: 1763716401500, name: 'claim_request_attempts_2025-11-21', workerProcessId: 8 },
    { atMs: 1763716401501, name: 'renew_leases', workerProcessId: null },
  ]);
  expect(statements.filter(isClaim)).toHaveLength(1);
});
