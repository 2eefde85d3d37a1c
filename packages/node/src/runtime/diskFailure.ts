/**
 * The code of every error that says that the disk refused a write or a flush (no space, a fault of the device), whichever room it comes
 * from, and the kind of the alarm that follows. After it, what a member holds in memory may not be what is on the disk, and only a new
 * start finds out: the member votes no more, and whoever runs it ends it, to be started again.
 */
export const DISK_FAILED = 'disk-failed';

/** Told by the code, because an error that crossed threads has lost its class. */
export function isDiskFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === DISK_FAILED;
}

/** The kind of an alarm about an error: `disk-failed` if that is what it is, or else the one of the place where it came up. */
export function alarmKindOf(error: unknown, otherwise: string): string {
  return isDiskFailure(error) ? DISK_FAILED : otherwise;
}
