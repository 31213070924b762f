import type { TestProject } from 'vitest/node';
import { startDatabaseServer } from './database-server.ts';
import './test-database.ts';

/** One database server for a whole run; each test file makes a database of its own on it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startDatabaseServer(process.env);
  project.provide('superuserUrl', server.superuserUrl);
  return () => server.stop();
}
