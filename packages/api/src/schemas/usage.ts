import { z } from 'zod';

/** A step of getting started, in an answer. */
export const sentStep = z.enum(['ToDo', 'Done']);
