// Proves that the linter sees types: each file of scripts/canary breaks one rule, and a linter that finds nothing there finds nothing
// anywhere.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const oxlint = fileURLToPath(new URL('../node_modules/oxlint/bin/oxlint', import.meta.url));
const canaries = { 'floating-promise.ts': 'no-floating-promises', 'lost-update.ts': 'no-lost-update' };

const missed = Object.entries(canaries).filter(([file, rule]) => {
  const args = [oxlint, '--type-aware', '--format=unix', `scripts/canary/${file}`];
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return !stdout.includes(rule);
});
for (const [file, rule] of missed) {
  process.stderr.write(`The linter did not find ${rule} in scripts/canary/${file}.\n`);
}
process.exit(missed.length === 0 ? 0 : 1);
