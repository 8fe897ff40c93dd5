import { defineConfig } from '@playwright/test'
import tests from './playwright.config.ts'

/** `npm run shots`: pictures of every view of a live market, for people who read about the page. */
export default defineConfig({ ...tests, testDir: 'shots', reporter: 'list' })
