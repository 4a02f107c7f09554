import path from 'node:path'
import { digestOfJson } from '../core/digest.ts'
import { canonicalJson, type Json } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { ModelSource, Told } from '../core/sources.ts'
import type { ModelDeclaration } from '../spec/workflow.ts'
import { modelFacts } from './architecture.ts'
import type { SourceFiles } from './files/files.ts'
import { hubFolder, hubRepository } from './files/hub.ts'
import { isPacked, packedFolder } from './files/packed.ts'
import { quantizationMistake, storedMethod, weightMistake } from './stored-weights.ts'

/** Files beside the weights that shape what a model answers, by the name of their part of the identity. */
const identityFiles: Readonly<Record<string, string>> = {
  tokenizer: 'tokenizer.json',
  tokenizer_config: 'tokenizer_config.json',
  special_tokens_map: 'special_tokens_map.json',
  added_tokens: 'added_tokens.json',
  vocabulary: 'vocab.json',
  merges: 'merges.txt',
  sentencepiece: 'tokenizer.model',
  chat_template: 'chat_template.jinja',
  generation_config: 'generation_config.json',
}

/** Where the weights of a source lie on this machine, whether or not they are there. */
export function modelFolder(declaration: ModelDeclaration, workflowFolder: string, cache: string): string {
  const { source, revision, dtype } = declaration
  return packedFolder(source, dtype, cache) ?? hubFolder(source, revision, 'model', cache) ?? path.resolve(workflowFolder, source)
}

function wayTo(source: string): string {
  return hubRepository(source) || isPacked(source) ? 'get it with `dag fetch`' : 'see where its folder is, relative to this file'
}

/** Reads a model's configuration and the digests that make up its identity; weights are hashed once per stamp. */
export async function readModel(
  name: string,
  declaration: ModelDeclaration,
  workflowFolder: string,
  cache: string,
  files: SourceFiles,
): Promise<Result<ModelSource, { rule: string; key: string; message: string; hint?: string }>> {
  const folder = modelFolder(declaration, workflowFolder, cache)
  const present = files.exists(path.join(folder, 'config.json'))
  const configPath = present ? path.join(folder, 'config.json') : declaration.config && path.resolve(workflowFolder, declaration.config)
  if (!configPath) {
    return fail({
      rule: 'missing-model',
      key: 'source',
      message: `model "${name}" (${declaration.source}) is not on this machine`,
      hint: `${wayTo(declaration.source)}, or name a config.json with \`config:\` to plan without the weights`,
    })
  }
  const config = files.json(configPath)
  if (!config.ok)
    return fail({
      rule: 'model-config',
      key: present ? 'source' : 'config',
      message: `the config.json of model "${name}" cannot be used: ${config.error}`,
    })
  if ('auto_map' in config.value) {
    return fail({
      rule: 'model-code',
      key: 'source',
      message: `model "${name}" wants to run code of its own ("auto_map")`,
      hint: 'only architectures that transformers carries are loaded',
    })
  }
  const facts = modelFacts(config.value)
  if (!facts)
    return fail({
      rule: 'model-config',
      key: present ? 'source' : 'config',
      message: `the config.json of model "${name}" lacks num_hidden_layers or hidden_size`,
    })
  const unusable =
    quantizationMistake(config.value, declaration.quantization) ?? (present ? weightMistake(folder, config.value, files) : null)
  if (unusable !== null)
    return fail({ rule: 'model-weights', key: 'source', message: `model "${name}" (${declaration.source}) cannot be loaded: ${unusable}` })
  const content = present ? await contentIdentity(folder, config.value, files) : declaredIdentity(declaration, config.value)
  const { devices, dtype, quantization, told } = declaration
  const identity = { ...content, ...toldParts(told) }
  return ok({ name, origin: declaration.source, path: present ? folder : null, devices, dtype, quantization, told, identity, facts })
}

/** The parts of an identity that the workflow says, not a file. */
function toldParts({ plain, date, variables }: Told): Record<string, string> {
  return {
    ...(plain ? { chat_template: 'none' } : {}),
    ...(date === null ? {} : { date }),
    ...(Object.keys(variables).length === 0 ? {} : { chat_template_kwargs: canonicalJson(variables) }),
  }
}

/** The parts of the identity of the model in a folder; null where they cannot be read. */
export async function identityOf(folder: string, told: Told, files: SourceFiles): Promise<Readonly<Record<string, string>> | null> {
  const config = files.json(path.join(folder, 'config.json'))
  if (!config.ok) return null
  try {
    return { ...(await contentIdentity(folder, config.value, files)), ...toldParts(told) }
  } catch {
    return null
  }
}

async function contentIdentity(folder: string, config: Record<string, Json>, files: SourceFiles): Promise<Record<string, string>> {
  const identity: Record<string, string> = { config: configDigest(config) }
  const weights = files.list(folder).filter((file) => file.endsWith('.safetensors'))
  const digests = await Promise.all(weights.map((file) => files.digest(path.join(folder, file))))
  const widened = storedMethod(config)
  identity.weights = digestOfJson(widened === null ? digests : { digests, widened })
  for (const [part, file] of Object.entries(identityFiles)) {
    const full = path.join(folder, file)
    if (files.exists(full)) identity[part] = await files.digest(full)
  }
  return identity
}

/** Without the weights a model is known by what the workflow says of it. */
function declaredIdentity(declaration: ModelDeclaration, config: Record<string, Json>): Record<string, string> {
  const declared = digestOfJson({ source: declaration.source, revision: declaration.revision })
  return { config: configDigest(config), weights: declared, tokenizer: declared, chat_template: declared, generation_config: declared }
}

/** Notes of the writer's path and library version do not make another model. */
function configDigest(config: Record<string, Json>): string {
  const { _name_or_path: _path, transformers_version: _version, ...rest } = config
  return digestOfJson(rest)
}
