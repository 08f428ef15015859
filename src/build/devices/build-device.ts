/** A CDI device. */
export interface BuildDevice {
  /** `vendor.com/class=name`. */
  name: string
  annotations: Readonly<Record<string, string>>
  /** Every build gets it that asks for it. */
  autoAllow: boolean
}
