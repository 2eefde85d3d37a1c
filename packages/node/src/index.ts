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
  readMemberKeys,
  writeKeyFile,
  writeMemberKeys,
} from './config/memberKeys.ts';
export { type NodeConfig, parseNodeConfig, readJsonFile, readNodeConfig } from './config/nodeConfig.ts';
export { acquireFolderLock, FolderLockedError } from './engine/index.ts';
export { type RunningNode, startNode } from './node.ts';
export { version } from './version.ts';
