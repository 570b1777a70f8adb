# Completes mcpsm in pwsh. In $PROFILE:  mcpsm completion pwsh | Out-String | Invoke-Expression
# (The module Mcpsm registers the same completer on import.)
# The words go through standard input, because other users can see arguments and one may be a token.
# Types are named by strings: PowerShell searches all assemblies for a type literal while parsing, which would slow every session.
Register-ArgumentCompleter -Native -CommandName mcpsm, Invoke-Mcpsm -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @()
    $word = ''
    foreach ($element in $commandAst.CommandElements) {
        if ($element -eq $commandAst.CommandElements[0] -or $element.Extent.StartOffset -ge $cursorPosition) { continue }
        $text = if ($element.PSObject.Properties['Value'] -and $element.Value -is [string]) { $element.Value } else { $element.Extent.Text }
        if ($element.Extent.EndOffset -lt $cursorPosition) { $words += $text } else { $word = $text }
    }
    $words += $word
    # Completion must not change the exit code of the user's last command.
    $code = $global:LASTEXITCODE
    $result = [type]'System.Management.Automation.CompletionResult'
    try {
        foreach ($line in @($words | & mcpsm '[suggest]' 2>$null 6>$null)) {
            $text, $about = $line -split "`t", 2
            $written = if ($text -match '^[A-Za-z0-9_./:-]+$') { $text }
                else { "'" + ($text -replace '[\u0027\u2018-\u201b]', '$0$0') + "'" }
            $result::new($written, $text, 'ParameterValue', $(if ($about) { $about } else { $text }))
        }
    }
    catch {
        # An error message would appear in the line that the user types. The command itself reports the error.
    }
    finally { $global:LASTEXITCODE = $code }
}
