/** Dark or light: what the system says, unless somebody chose here. */

import { signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'
const KEY = 'surety.theme'
const ORDER: readonly Theme[] = ['system', 'light', 'dark']

/** Storage may be forbidden; then the choice lasts as long as the page. */
function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY) as Theme | null
    return value && ORDER.includes(value) ? value : 'system'
  } catch {
    return 'system'
  }
}

export const theme = signal<Theme>(stored())

theme.subscribe((value) => {
  if (value === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = value
})

export function nextTheme(): void {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] as Theme
  try {
    localStorage.setItem(KEY, theme.value)
  } catch {
    // The choice is not worth an error.
  }
}
