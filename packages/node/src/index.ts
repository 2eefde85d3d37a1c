export { ConfigError } from './config/configError.ts';
export { createSuite, loadSuite } from './config/createSuite.ts';
export {
  addressOfPrivateKey,
  KeyFileError,
  keyFileNames,
  type MemberKeyRing,
  type MemberKeys,
  newMemberKeys,
  newPrivateKey,
  publicMemberKeys,
  readKeyFile,
  readMemberKeyRing,
  readMemberKeys,
  type StoredKey,
  writeKeyFile,
  writeMemberKeys,
} from './config/memberKeys.ts';
export {
  type IntroducedMember,
  type NodeConfig,
  parseNodeConfig,
  readJsonFile,
  readNodeConfig,
} from './config/nodeConfig.ts';
export {
  readPromises,
  readRecoveries,
  readRecovery,
  readRefusals,
  recoveryFolder,
  removePromise,
  writePromise,
  writeRecovery,
  writeRefusal,
} from './config/recoveryFiles.ts';
export { type SupportedRules, supportedRules } from './execution/ruleVersions.ts';
export { genesisHashOf } from './genesisHashOf.ts';
export { type RunningNode, startNode } from './node.ts';
export { acquireFolderLock, FolderLockedError, networkLock } from './runtime/folderLock.ts';
export { transportPublicKey } from './runtime/transportKey.ts';
export { openStoppedMember, type StoppedMember } from './stoppedMember.ts';
export { version } from './version.ts';
