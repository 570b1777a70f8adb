#Requires -Version 7.6
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '6.0' }

# Remedies: cmdlets in the errors of cmdlets, and commands of the shell in the output of mcpsm.

BeforeAll {
    . "$PSScriptRoot/Sample.ps1"
    Import-Module $manifest
    Add-McpServer 'My API' $url | Out-Null
    Add-McpServer 'It''s [new]' https://other.example/mcp | Out-Null
    $cmdletAssembly = (Get-Command Get-McpServer).ImplementingType.Assembly
    $formatter = $cmdletAssembly.GetType('McpSm.PowerShell.Remedies.CmdletRemedyFormatter')
    $core = $formatter.BaseType.Assembly
    $formatter = $formatter.GetProperty('Instance').GetValue($null)

    # Creates a step with values for its parameters.
    function New-Step([type]$type, [hashtable]$property = @{}) {
        $constructor = $type.GetConstructors() | Where-Object { $_.GetParameters().ParameterType.Name -notcontains 'IReadOnlyList`1' } | Select-Object -First 1
        $step = $constructor.Invoke(@(foreach ($parameter in $constructor.GetParameters()) {
            switch ($parameter.ParameterType.Name) {
                'ServerReference' { $core.GetType('McpSm.Core.Errors.Steps.ServerReference')::new('my-api', 'My API') }
                'Boolean' { $true }
                'String' { 'https://a.example' }
            }
        }))
        foreach ($name in $property.Keys) { $type.GetProperty($name).SetValue($step, $property[$name]) }
        $step
    }

    function Format-Step($step) {
        $conversion = $core.GetType('McpSm.Core.Errors.Steps.NextStep').GetMethods().Where({
            $_.Name -eq 'op_Implicit' -and $_.GetParameters()[0].ParameterType.Name -eq 'NextStep'
        })[0]
        $formatter.Format($conversion.Invoke($null, @($step)))
    }

    # Asserts that each command in the line exists and has all its parameters in one parameter set.
    function Assert-Line($line) {
        $errors = $null
        $line = $line -replace '<\w+>', '1'
        $ast = [Management.Automation.Language.Parser]::ParseInput($line, [ref]$null, [ref]$errors)
        $errors | Should -BeNullOrEmpty -Because $line
        $commands = $ast.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true)
        foreach ($command in $commands) {
            $found = Get-Command $command.GetCommandName() -ErrorAction Ignore
            $found | Should -Not -BeNullOrEmpty -Because $line
            $names = @($command.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] } | ForEach-Object ParameterName)
            $sets = @($found.ParameterSets | Where-Object { $set = $_; -not ($names | Where-Object { $_ -notin $set.Parameters.Name }) })
            $sets | Should -Not -BeNullOrEmpty -Because "$line is in one parameter set"
        }
    }
}

AfterAll {
    Remove-Module Mcpsm
    Stop-Sample
}

Describe 'remedies' {
    It 'are cmdlets that exist, for every step' {
        $base = $core.GetType('McpSm.Core.Errors.Steps.NextStep')
        $steps = $core.GetTypes() | Where-Object { $_.IsSubclassOf($base) -and $_.Name -notin 'RemoveSecretStep', 'ListSecretsStep' }
        @($steps).Count | Should -BeGreaterThan 15
        foreach ($step in $steps) { Assert-Line (Format-Step (New-Step $step)) }
        Assert-Line (Format-Step (New-Step $core.GetType('McpSm.Core.Errors.Steps.SetTokenStep') @{ Unattended = $true }))
        Assert-Line (Format-Step (New-Step $core.GetType('McpSm.Core.Errors.Steps.ReadTokenStep') @{ AsHeader = $true }))
    }

    It 'have parameters that exist, for every option' {
        $of = @{
            SignInStep                   = 'ClientCredentials', 'ManagedIdentity', 'AssertionFile', 'AssertionVariable', 'IdentityProvider',
                'CallbackPort', 'Timeout', 'NoBrowser', 'DeviceCode', 'Vault'
            UpdateServerStep             = 'ClientId', 'ClientSecret', 'Issuer', 'Scope', 'Header', 'AuthorizeParameter', 'OAuthOn',
                'AllowLegacyEndpoints', 'DPoP', 'Url'
            UseIdentityProviderStep      = 'ClientId', 'ClientSecret'
            SignInToIdentityProviderStep = 'CallbackPort', 'Timeout', 'NoBrowser', 'DeviceCode'
        }
        $kinds = $core.GetType('McpSm.Core.Errors.Steps.StepOptionKind')
        [Enum]::GetNames($kinds) | Where-Object { $_ -notin $of.Values.ForEach({ $_ }) } | Should -BeNullOrEmpty
        foreach ($step in $of.Keys) {
            foreach ($kind in $of[$step]) {
                $type = $core.GetType('McpSm.Core.Errors.Steps.StepOption')
                $options = [Array]::CreateInstance($type, 1)
                $values = [string[]]@(switch ($kind) { 'Header' { 'x-name' } 'AuthorizeParameter' { 'x-name' } 'DPoP' { 'never' } })
                $constructor = $type.GetConstructor(@($kinds, [Collections.Generic.IReadOnlyList[string]]))
                $options[0] = $constructor.Invoke(@([Enum]::Parse($kinds, $kind), $values))
                Assert-Line (Format-Step (New-Step $core.GetType("McpSm.Core.Errors.Steps.$step") @{ Options = $options }))
            }
        }
    }

    It 'name servers like the tables' {
        (Get-McpAuthStatus 'My API').Remedy | Should -BeExactly "Connect-McpServer 'My API'"
        # The name contains wildcard characters and could match other servers, so the id is shown.
        (Get-McpAuthStatus its-new).Remedy | Should -BeExactly 'Connect-McpServer its-new'
        { Get-McpToken 'My API' -ErrorAction Stop } | Should -Throw
        $Error[0].ErrorDetails.RecommendedAction | Should -BeExactly "Connect-McpServer 'My API'"
        (Test-McpServer 'My API').Remedy | Should -BeExactly "Connect-McpServer 'My API'"
    }

    It 'run unchanged' {
        $line = (Get-McpAuthStatus 'My API').Remedy
        Invoke-Expression "$line -CallbackPort 0" 6>$null | Out-Null
        (Get-McpAuthStatus 'My API').State | Should -Be Authenticated
        Disconnect-McpServer 'My API' -Confirm:$false
    }

    It 'are commands of the shell in the output of mcpsm' {
        (mcpsm auth status my-api --json | ConvertFrom-Json).remedy | Should -BeExactly 'mcpsm auth login my-api'
        mcpsm auth token my-api 2>&1 | Out-String | Should -Match '(?m)^\s*mcpsm auth login my-api\s*$'
    }
}
