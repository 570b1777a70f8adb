#compdef mcpsm
# Completes mcpsm in zsh. In ~/.zshrc:  source <(mcpsm completion zsh)
# Or save it as _mcpsm in a folder of $fpath.
# The words go through standard input, because other users can see arguments and one may be a token. zsh quotes the suggestions.
_mcpsm() {
    local line
    local -a before found shown
    before=("${(@Q)words[2,CURRENT-1]}")
    while IFS= read -r line; do
        found+=("${line%%$'\t'*}")
        shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
    done < <(printf '%s\n' "${before[@]//$'\n'/ }" "${(Q)PREFIX}" 2>/dev/null | command mcpsm '[suggest]' 2>/dev/null)
    # -U: mcpsm has filtered the suggestions already, without regard to case. zsh must not filter them again.
    compadd -U -l -d shown -a found
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _mcpsm "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _mcpsm mcpsm
fi
