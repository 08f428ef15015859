import type { FromInstruction, StageInstruction, TextRange } from '#dockerfile'
import type { Platform } from '#oci'
import type { BuildStep } from '../types.ts'
import type { NamedContext } from './context/named-contexts.ts'
import { Environment } from './environment.ts'
import { emptyImage } from './image-draft.ts'
import type { ImageDraft } from './image-draft.ts'
import type { OutlineNotes } from './outline-notes.ts'
import type { StepCounter } from './step-name.ts'
import type { Tree } from './tree.ts'

/** An instruction with the stages that it reads from: those of `COPY --from`, of mounts by their position. */
export interface Command {
  readonly instruction: StageInstruction
  readonly sources: readonly (StageState | undefined)[]
  /** It comes from ONBUILD of the base. */
  readonly onbuild: boolean
}

/** What it became: undefined when it only changed the config. */
export interface StageStep extends Pick<BuildStep, 'text' | 'role'> {
  readonly tree: Tree
}

/**
 * A stage on its way: first its place among the others is found, then its base, then its instructions change it one after the other. An image or context that
 * only `--from` names is a stage without instructions, too.
 */
export interface StageState {
  /** As written, in lower case. */
  readonly name: string | undefined
  /** With variables expanded: image, name of a stage, `scratch`. */
  readonly baseName: string
  /** The line that it stands for, in errors. */
  readonly range: TextRange | undefined
  /** undefined: `--from` names it. */
  readonly from: FromInstruction | undefined
  /** Place among all stages, those that only `--from` names behind the others. */
  readonly index: number
  /** The stage that it continues. */
  readonly base: StageState | undefined
  /** A named context that stands for the whole stage. */
  readonly context: NamedContext | undefined
  /** Stages that instructions read from, each with the first such instruction. */
  readonly dependencies: Map<StageState, TextRange>
  /** Instructions, behind the triggers of the base. */
  commands: Command[]
  readonly counter: StepCounter
  readonly ignoreCache: boolean
  /** `--platform`, later that of the base. */
  platform: Platform | undefined
  /** `found`: its base is not known yet. `done`: others may read from it. */
  phase: 'found' | 'based' | 'done'
  triggersRead: boolean

  /** Its file system so far. */
  tree: Tree
  /** FROM and instructions that have been carried out, each with the step that it became. */
  readonly steps: StageStep[]
  image: ImageDraft
  /** Of RUN steps: those of the image, and arguments. */
  variables: Environment
  /** ARG instructions so far, by name, in order. */
  readonly arguments: Map<string, string | undefined>
  /** What others, and its own RUN steps, need of it. One set for a stage and those that continue it. */
  paths: Set<string>
  workingDirectorySet: boolean
  /** CMD is this stage's own, not its base's. */
  hasOwnCommand: boolean
  readonly outline: OutlineNotes
}

/** Whether an instruction makes a step of its own. */
export function makesStep({ kind }: StageInstruction): boolean {
  return kind === 'add' || kind === 'copy' || kind === 'run' || kind === 'workdir'
}

/** What is known of a stage when it is found. */
export type NewStage = Pick<
  StageState,
  'name' | 'baseName' | 'range' | 'from' | 'index' | 'base' | 'context' | 'counter' | 'ignoreCache' | 'platform' | 'outline'
>

/** `platform`: of the empty image that it has until its base is known. */
export function newStage(facts: NewStage, platform: Platform): StageState {
  return {
    ...facts,
    dependencies: new Map(),
    commands: [],
    phase: 'found',
    triggersRead: false,
    tree: undefined,
    steps: [],
    image: emptyImage(platform),
    variables: new Environment(),
    arguments: new Map(),
    paths: new Set(),
    workingDirectorySet: false,
    hasOwnCommand: false,
  }
}
