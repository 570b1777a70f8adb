# Completes mcpsm in fish. In ~/.config/fish/config.fish:  mcpsm completion fish | source
# The words go through standard input: other users see arguments, and they may hold a token. fish quotes what comes back.
function __mcpsm_suggest
    set -l before (commandline -opc)
    # The token as it is typed: perhaps with a quote that is still open.
    set -l word (commandline -ct | string trim --left --chars "'\"" | string unescape)
    printf '%s\n' $before[2..-1] "$word" 2>/dev/null | command mcpsm '[suggest]' 2>/dev/null
end
complete --command mcpsm --no-files --arguments '(__mcpsm_suggest)'
