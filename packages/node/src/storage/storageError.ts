export type StorageErrorCode =
  | 'newer-format'
  | 'older-format'
  | 'different-genesis'
  | 'not-initialized'
  | 'disk-failed';

/** Why a data folder cannot be used as it is. Nothing in it was changed. `disk-failed`: the disk refused (no space, for example). */
export class StorageError extends Error {
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
  }
}
