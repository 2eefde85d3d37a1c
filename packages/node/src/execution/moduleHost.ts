// The host of modules is as pure as they are, so it stands in their package, where their tests run it without a node.
export { type HookFailure, ModuleHost } from '@hanse/modules';
