const KiB = 1024;
const MiB = 1024 * KiB;

/** Events in one ingest statement: beyond some 200 the throughput gains nothing and the answers wait longer. */
export const ingestGroupEventsMax = 200;
/** Payload bytes in one ingest statement: a statement is built in memory, several times its size. */
export const ingestGroupBytesMax = 4 * MiB;
/** Payload bytes that may wait for their ingest statement in one API process; what comes beyond is told to come back. */
export const ingestWaitingBytesMax = 64 * MiB;
/** Events that may wait for their ingest statement in one API process. */
export const ingestWaitingEventsMax = 10_000;

/** How long an event may be expected to wait for its commit when nobody says otherwise: clients give up after ten seconds and more. */
export const ingestWaitMsMax = 5000;

/** Processes of one API: each takes memory and connections, and more than cores gain nothing. */
export const apiProcessesMax = 64;
/** Body of one event over HTTP. */
export const eventBodyBytesMax = 2 * MiB;
/** Events in one batch that is a JSON array; streams have no such limit. */
export const batchEventsMax = 1000;
/** Body of a batch that is a JSON array. */
export const batchBodyBytesMax = 10 * MiB;
/** Lines of one stream that are read ahead of their results: three groups, so that one waits while two are written. */
export const streamAheadLinesMax = 3 * ingestGroupEventsMax;
/** Bytes of lines that one stream is read ahead of its results. */
export const streamAheadBytesMax = 2 * ingestGroupBytesMax;
/** How long a stream of events may stand still, neither sending nor reading. */
export const streamIdleMsMax = 5 * 60 * 1000;
/** Body of every other request. */
export const requestBodyBytesMax = 1 * MiB;

/** Attempts per claim: beyond, the database gains nearly nothing, and waiting times suffer. */
export const claimBatchMax = 300;
/** Leases of one attempt that may run out: an attempt whose workers die again and again may be what kills them. */
export const claimCountMax = 10;
/** Payload bytes that one fetch of a worker brings. */
export const payloadFetchBytesMax = 16 * MiB;
/** Outcomes in one record statement. */
export const recordBatchMax = 500;
/** A request starts only while its timeout and this remain of its lease: recording takes its time too. */
export const leaseStartMarginMs = 5000;

/** A response is read no further than this, however long its receiver goes on. */
export const responseBodyReadBytesMax = 1 * MiB;
/** Longest `Retry-After` that is honoured. */
export const retryAfterMsMax = 10 * 60 * 60 * 1000;

/** Attempts that a disable, a delete or a change of workers settles before its call answers at most; the sweep does the rest. */
export const settledBeforeAnswerMax = 10_000;
/** How long that may hold up the answer: the API tells the truth about attempts that are not worked off yet. */
export const settlingBeforeAnswerMsMax = 200;
/** Rows that one statement of a mass change touches, so that nobody waits long behind its locks. */
export const massChangeRowsMax = 1000;
/** Entries of the audit log that are read at a time to verify a chain: some megabytes at most. */
export const auditBatchMax = 500;

/** Secrets that may sign beside the current one while rotations overlap: each is one more signature in the header of every request. */
export const previousSecretsMax = 4;
/** Longest time that a secret which was rotated out signs on. */
export const secretOverlapMsMax = 30 * 24 * 60 * 60 * 1000;
/** The same when nobody says otherwise: a day to bring the new one to every receiver. */
export const secretOverlapMsDefault = 24 * 60 * 60 * 1000;

/** Events that one page of a list by labels looks at: some 30 ms of reading. The next page goes on from there. */
export const eventListWindow = 10_000;
/** Events that one page of a list by status looks at, each with a look-up in the queue and in every day of the log since. */
export const eventStatusWindow = 500;
/** Attempts in an application's queue up to which the events with open attempts are taken from there. */
export const queueWalkMax = 5000;
/** Attempts that one page of a list by status or type looks at, in the queue and in the log. */
export const attemptListWindow = 10_000;
/** How far a page can be asked for by its number. Further on, cursors lead: skipping reads all that is skipped. */
export const pageByNumberMax = 10_000;
/** Days in one report. */
export const reportDaysMax = 366;
/** Deliveries of one event in one answer. */
export const deliveriesPageMax = 500;
/** How long after its last sign a worker process counts as gone. */
export const workerAliveWithinMs = 15_000;
