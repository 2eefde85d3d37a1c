export { ConfigError } from './config/configError.ts';
export { createSuite, loadSuite } from './config/createSuite.ts';
export {
  addressOfPrivateKey,
  KeyFileError,
  keyFileNames,
  type MemberKeys,
  newMemberKeys,
  newPrivateKey,
  publicMemberKeys,
  readKeyFile,
  readMemberKeyRing,
  readMemberKeys,
  writeKeyFile,
  writeMemberKeys,
} from './config/memberKeys.ts';
export { type NodeConfig, parseNodeConfig, readJsonFile, readNodeConfig } from './config/nodeConfig.ts';
export { readRecovery, recoveryFile } from './config/recoveryFiles.ts';
export { genesisHashOf } from './genesisHashOf.ts';
export { type RunningNode, startNode } from './node.ts';
export { acquireFolderLock, FolderLockedError, networkLock } from './runtime/folderLock.ts';
export { version } from './version.ts';
