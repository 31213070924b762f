// Makes `npm start` and `npm test` work on a machine that has Node 18 or later and npm, and nothing else: it brings pnpm, installs from
// the lockfile, and runs everything with a Node that is new enough, which comes as an optional dependency where the machine's is not.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [task, ...taskArgs] = process.argv.slice(2);

const tasks = {
  /** Everything up on this machine. */
  demo: async (node) => {
    await runQuietly(
      'building',
      node,
      [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'packages/demo', 'packages/api', 'packages/worker'],
      node,
    );
    return run(node, [join(root, 'packages/demo/dist/main.js'), ...taskArgs], node);
  },
  /** All checks, then all tests. The last line says how many tests passed and failed. */
  verify: async (node) => {
    for (const [name, command] of verifySteps) {
      await runQuietly(name, node, command, node);
    }
    return run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...taskArgs], node);
  },
};

const bin = (path) => join(root, 'node_modules', path);
const linted = [
  'packages',
  'bench',
  'scripts/bootstrap.mjs',
  'scripts/lint-canary.mjs',
  'scripts/lint-plugin.mjs',
  'scripts/generate-docs.mjs',
  'vitest.config.ts',
];
const verifySteps = [
  ['format', [bin('@biomejs/biome/bin/biome'), 'format', '.']],
  ['types', [bin('typescript/bin/tsc'), '-b']],
  ['lint', [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings', ...linted]],
  ['lint canary', [join(root, 'scripts/lint-canary.mjs')]],
  ['layers', [bin('dependency-cruiser/bin/dependency-cruiser.mjs'), '--config', '.dependency-cruiser.mjs', 'packages', 'bench']],
  ['dead code', [bin('knip/bin/knip.js')]],
  ['generated docs', ['--conditions=postrider-source', join(root, 'scripts/generate-docs.mjs'), '--check']],
];

// Ctrl-C in a terminal reaches the whole process group: the task ends itself in order, and this process waits for it.
let current = null;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => current?.kill(signal));
}

if (!Object.hasOwn(tasks, task ?? '')) {
  fail(`Usage: node scripts/bootstrap.mjs ${Object.keys(tasks).join(' | ')}`);
}
try {
  await install();
  process.exitCode = await tasks[task](findNode());
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  if (task === 'verify') {
    process.stdout.write('0 passed, 1 failed\n');
  }
  process.exitCode = 1;
}

/** Installs from the lockfile unless what is installed was installed from it. */
async function install() {
  const stampFile = join(root, 'node_modules/.postrider-install');
  const stamp = hashOfManifests();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    return;
  }
  const packageManager = manifest.packageManager;
  const npm = process.env.npm_execpath ?? 'npm';
  const [command, first] = npm.endsWith('.js') ? [process.execPath, [npm]] : [npm, []];
  const args = [...first, 'exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', 'install', '--frozen-lockfile'];
  await runQuietly('installing', command, args, process.execPath);
  writeFileSync(stampFile, stamp);
}

/** Whatever changes what would be installed: the lockfile, the manifests, the machine. */
function hashOfManifests() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', 'bench/package.json', ...packages]) {
    const path = join(root, file);
    hash.update(file).update(existsSync(path) ? readFileSync(path) : '');
  }
  return hash.digest('hex');
}

/** The pinned Node where the registry has one for this machine, else the machine's own where it is new enough. */
function findNode() {
  const pinned = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(pinned)) {
    return pinned;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 19)) {
    return process.execPath;
  }
  throw new Error(`Node 22.19 or later is needed on ${process.platform}-${process.arch}; this is ${process.versions.node}.`);
}

/** Runs a command whose output matters only when it fails. */
async function runQuietly(name, command, args, node) {
  process.stderr.write(`${name} ... `);
  const startedAt = Date.now();
  let output = '';
  const code = await spawnAndWait(command, args, node, ['ignore', 'pipe', 'pipe'], (chunk) => {
    output += chunk;
  });
  process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
  if (code !== 0) {
    throw new Error(`${output}\n${name} failed with ${code}.`);
  }
}

function run(command, args, node) {
  return spawnAndWait(command, args, node, 'inherit');
}

function spawnAndWait(command, args, node, stdio, onOutput) {
  return new Promise((resolve, reject) => {
    const path = [dirname(node), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
    current = spawn(command, args, { cwd: root, stdio, env: { ...process.env, PATH: path } });
    current.stdout?.setEncoding('utf8').on('data', onOutput);
    current.stderr?.setEncoding('utf8').on('data', onOutput);
    current.once('error', reject);
    current.once('close', (code, signal) => {
      current = null;
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(64);
}
