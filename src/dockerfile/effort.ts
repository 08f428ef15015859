import { DockerfileError } from './dockerfile-error.ts'

/** Steps: characters that are looked at or kept. A second or two; real Dockerfiles need less than a thousandth of it. */
const MOST = 64 * 1024 * 1024

/**
 * What one Dockerfile may cost. Attack: a few lines `ARG B=$A$A$A$A`, `${B//a*b/}`, `EXPOSE 1-65535 1-65535 …` would keep the daemon busy for hours, or fill
 * its memory, although each is within its own limit.
 */
export class Effort {
  #left = MOST

  /** Throws {@link DockerfileError} when there is nothing left, from then on each time. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new DockerfileError('the Dockerfile takes too much work to be read')
  }
}
