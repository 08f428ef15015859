import { randomInt } from 'node:crypto'

const ADJECTIVES =
  'able agile airy amber ample apt autumn balmy bold brave breezy bright brisk calm candid careful cheery civil clean clear clever cool coral cosy crisp curious daring dapper deft eager early earnest easy even exact fair fine firm fleet fluent fond frank free fresh frosty gentle glad golden grand green handy happy hardy hearty helpful honest humble ideal jolly keen kind lasting light limber lively loyal lucid lucky merry mild mindful misty modest neat nimble noble open patient placid plain playful polite prime proud quick quiet rapid ready robust rosy rustic sage serene sharp silent silver simple sincere smooth snowy sober solid spry stable steady sterling stoic sunny supple sure swift tender tidy true upbeat vivid warm wise witty zesty'.split(
    ' ',
  )

/** People of science and engineering. */
const SURNAMES =
  'abel ampere archimedes avogadro babbage banach bardeen becquerel bell bernoulli bessel bohr boltzmann boole born bose brahe brunel cantor carnot carson cauchy celsius chandrasekhar clarke conway copernicus coulomb crick cray curie cuvier darwin davy descartes dijkstra diophantus dirac doppler edison einstein engelbart eratosthenes erdos euclid euler faraday fermat fermi feynman fourier franklin fresnel galileo galois gauss germain goeppert goodall hamilton heisenberg hertz hilbert hodgkin hooke hopper hubble huygens hypatia jacobi jacquard johnson joule kelvin kepler kolmogorov kovalevskaya lagrange lamarr laplace lavoisier leavitt leibniz linnaeus lovelace mandelbrot maxwell mcclintock meitner mendel mendeleev mercator mirzakhani mitchell montgolfier moore morse napier nash newton nobel noether ohm oppenheimer pascal pasteur pauli payne perlman planck poincare ptolemy raman ramanujan riemann ritchie roentgen rubin rutherford sagan shannon somerville tesla thales turing volta wallace watt wiles wright wu yalow yukawa'.split(
    ' ',
  )

/** `adjective_surname`, with a digit behind it when `attempt` is above 0. */
export function randomName(attempt: number): string {
  const name = `${pick(ADJECTIVES)}_${pick(SURNAMES)}`
  return attempt > 0 ? `${name}${randomInt(10)}` : name
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? ''
}
