export type StorageErrorCode = 'newer-format' | 'older-format' | 'different-genesis' | 'not-initialized';

/** Why a data folder cannot be used as it is. Nothing in it was changed. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string) {
    super(message);
    this.name = 'StorageError';
    this.code = code;
  }
}
