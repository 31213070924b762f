import { fileURLToPath } from 'node:url';

/** The migrations of this version, from the sources and from the built files alike. */
export const migrationsDirectory = fileURLToPath(new URL('../../../migrations', import.meta.url));
