"""Any text against texts sent along or the stored articles, sentence by sentence; `text_checker` is the flow."""
