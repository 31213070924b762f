import { ingestGroupBytesMax, ingestGroupEventsMax } from './limits.ts';

/** Events, in groups that are being written or waiting for one. */
export interface GroupLoad {
  readonly groupsInFlight: number;
  readonly eventsInFlight: number;
  readonly eventsWaiting: number;
  readonly bytesWaiting: number;
}

/**
 * Groups that `mayWriteGroup` lets be written at a time. Two keep the database busy while the process reads requests; a third one, only where it is
 * full, while it reads long ones, and makes no group smaller.
 */
export const concurrentGroupsMax = 3;
/** Beside a group of fewer events another one is written at once: while little is going on nobody waits. */
const largeGroupEvents = 8;
/** Beside a large one, another is written when so much waits: less costs the process and the database more apiece than it gains. */
const secondGroupEvents = ingestGroupEventsMax / 2;
const secondGroupBytes = ingestGroupBytesMax / 2;

/** How long workers may hear later of events that were written while a large group is in flight: so that one message tells of several groups. */
export const wakeUpDelayMs = 10;

/** Whether so many events share a group that much is going on. */
export function isLargeGroup(events: number): boolean {
  return events >= largeGroupEvents;
}

/** Whether what waits is to be written now, as a group of its own. */
export function mayWriteGroup({ groupsInFlight, eventsInFlight, eventsWaiting, bytesWaiting }: GroupLoad): boolean {
  switch (groupsInFlight) {
    case 0:
      return true;
    case 1:
      return !isLargeGroup(eventsInFlight) || eventsWaiting >= secondGroupEvents || bytesWaiting >= secondGroupBytes;
    case 2:
      return eventsWaiting >= ingestGroupEventsMax || bytesWaiting >= ingestGroupBytesMax;
    default:
      return false;
  }
}
